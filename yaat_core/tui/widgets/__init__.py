"""What screens are made of. Each draws lines of text into its room; see ``docs/tui-panels.md``."""
