"""The store on this machine: a SQLite head, read and written through telemetry.interface."""
