"""The client page beside its charts: presence, limits, details, and the tabs below."""
