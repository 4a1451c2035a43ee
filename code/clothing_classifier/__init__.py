"""Says what a clothing item in a photo is."""
