"""The agent's own metrics, for Prometheus and whatever else reads OpenMetrics."""
