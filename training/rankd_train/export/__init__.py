"""From an artefact to a bundle folder: docs/bundle.md is the contract."""
