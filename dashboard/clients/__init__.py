"""The page Clients: who may speak."""
