"""How the package recipe of RunConfig becomes a bundle, with a manifest, golden requests and a card of its own."""
