"""Live: events as they pass a point of the pipeline."""
