"""Pages for people: measurements in, one HTML file out. Its modules need the extra `report`, this file none."""
