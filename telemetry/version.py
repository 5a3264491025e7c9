"""The version of Culex."""

VERSION = "0.1.0.dev0"
"""As CHANGELOG.md has it; `.dev0` as long as its newest part is not released (PEP 440)."""
