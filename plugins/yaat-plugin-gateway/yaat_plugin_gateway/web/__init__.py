"""HTTP: the application, refusals, the OpenAPI document."""
