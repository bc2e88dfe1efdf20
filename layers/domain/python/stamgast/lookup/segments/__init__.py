"""Operators' paths about segments: why somebody is in one, what one would be, who may leave it."""
