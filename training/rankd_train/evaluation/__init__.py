"""Metrics, and the two ways of asking: over the whole catalogue, and as the served pipeline answers."""
