"""How much of what people buy is discounted, and how demand goes with price: as observed.

`lines` (what was bought, at which price) → `shares` (each person's share) and `elasticity` (of
products over weeks) → `run`. Nothing here is causal; `stamgast_learn.uplift` is.
"""
