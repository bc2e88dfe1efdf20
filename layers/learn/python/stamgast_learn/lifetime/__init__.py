"""Lifetime value without a contract: when customers buy, whether they still do, what they spend.

The data's way: `histories` (what is known of each customer) → `bg_nbd` (purchases and P(alive)) and
`gamma_gamma` (spend a purchase), both fitted by `likelihood` → `forecast` (counts and amounts to
come, with their intervals).
"""
