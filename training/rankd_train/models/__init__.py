"""The models: closed-form item-item weights, content vectors, the two towers and the hybrid ranker."""
