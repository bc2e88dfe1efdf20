"""The raw stage: events as they came, one line each, before anything else touches them."""
