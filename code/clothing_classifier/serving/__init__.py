"""The HTTP service: an API and a web page for photos; needs the extra `serve`, never torch."""
