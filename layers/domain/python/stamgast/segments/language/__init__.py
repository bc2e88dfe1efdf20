"""The language of segment rules and computed traits: one tree, and everything that reads it."""
