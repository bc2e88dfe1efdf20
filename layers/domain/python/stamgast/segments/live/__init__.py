"""Rules and computed traits between runs: asked of the base, the live tail and the clock."""
