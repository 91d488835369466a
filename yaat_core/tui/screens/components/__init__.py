"""Sources, processors and sinks: what runs, and the forms that change it."""
