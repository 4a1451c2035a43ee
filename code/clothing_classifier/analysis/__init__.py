"""What a network sees and what it costs."""
