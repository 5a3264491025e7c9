"""The Quality page: what arrived and what became of it, what is missing, what could not be read."""
