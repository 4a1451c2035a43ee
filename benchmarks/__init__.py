"""Programs that make and measure what ships; each writes to results/. Run as `python -m benchmarks COMMAND`."""
