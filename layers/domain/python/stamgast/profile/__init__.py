"""The profile stage: what the events of an anchor say, folded without regard to their order."""
