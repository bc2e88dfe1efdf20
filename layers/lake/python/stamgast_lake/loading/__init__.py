"""From raw to events: read, interpret, find duplicates, commit."""
