"""Who may speak: the broker, its certificates, clients and their topics."""
