"""What others would write or use in our place: the other sides of the benchmarks."""
