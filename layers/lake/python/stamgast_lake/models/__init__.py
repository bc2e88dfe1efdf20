"""Models in the lake: people measured for them, versions registered, scores stored and judged.

A run's way: `prepare` (what is due, and of whom) → the layer that learns → `register` (which
version is used) → that layer again, shard by shard → `store` (what differs, and the live view).
"""
