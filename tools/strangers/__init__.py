"""Pictures that show no garment, one module a kind."""
