"""The lineage of one event: where it came from, where it is, what each sink says, what the pipeline does to it now."""
