"""What people buy next, out of what they and others bought.

The data's way: `baskets` (who bought what, when) → `known` (pairs of person and item at a cut-off)
→ `neighbours` (items that go together) → `evidence` (what speaks for an item) → `recommender`
(learnt weights, exclusions) → `judged` (out of time, beside popularity and re-purchase) → `run`.
"""
