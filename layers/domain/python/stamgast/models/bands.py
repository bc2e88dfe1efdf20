"""Bands of scores: from which percentile on each begins, the highest first; and what moves one."""

BANDS = ((0.95, "very_high"), (0.80, "high"), (0.50, "medium"), (0.0, "low"))
MOVED = 0.005
"""A value that moved by more than this share of its range says something else of somebody."""
