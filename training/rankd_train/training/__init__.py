"""Training loops: what Lightning is told, and the examples that the ranker learns from."""
