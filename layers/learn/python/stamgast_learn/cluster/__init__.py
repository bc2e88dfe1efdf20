"""Groups of people who are alike: standardised, found again by halves, named, or not stated.

`standard` (features on one scale) → `stability` (how many clusters are found again) → `persona`
(what distinguishes each) → `run`.
"""
