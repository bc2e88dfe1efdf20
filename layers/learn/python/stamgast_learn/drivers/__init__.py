"""What goes with an outcome: a regression on behaviours, with intervals that hold for all of them.

`design` (standardised behaviours, what is collinear) → `regression` (coefficients, robust errors)
→ `run` (out of time, and in words).
"""
