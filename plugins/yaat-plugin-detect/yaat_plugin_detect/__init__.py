"""What runs on this machine, and where its logs are."""
