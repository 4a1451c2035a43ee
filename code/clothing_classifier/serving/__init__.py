"""The HTTP service: `run.serve` answers photos by an API and a page; needs the extra `serve`, and never torch."""
