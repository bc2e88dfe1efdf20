"""Bands of scores: from which percentile on each begins, the highest first."""

BANDS = ((0.95, "very_high"), (0.80, "high"), (0.50, "medium"), (0.0, "low"))
