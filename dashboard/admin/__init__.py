"""The page Admin: storage, retention, settings, versions and diagnostics."""
