"""Playground: what the span of a rolling statistic does to it, while one drags it."""
