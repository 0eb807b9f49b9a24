"""From a fitted model to a bundle folder: docs/bundle.md is the contract."""
