"""The commands of `python -m telemetry`, a module each."""
