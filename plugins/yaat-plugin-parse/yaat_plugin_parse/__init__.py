"""Raw lines to events: JSON, nginx, Python, your own pattern, or whichever fits."""
