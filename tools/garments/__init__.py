"""Drawn photos of clothes: fabrics, garments, what they lie on, light and camera."""
