"""The Topics page: what clients publish, as it comes, and what becomes of it."""
