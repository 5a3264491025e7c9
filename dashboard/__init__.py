"""How readings look: the Dash application, the HTTP API and the export."""
