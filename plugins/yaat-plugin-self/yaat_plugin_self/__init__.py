"""What happens to the agent itself, as events."""
