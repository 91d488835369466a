"""Events on standard output."""
