"""What was known of people at a past moment, and what came after: the tables that models learn of.

The data's way: `then` (the relations that rules read, as they were at a cut-off) → `measured`
(population, features and outcome, a row a person) → `panel` (all cut-offs of a model in one file).
"""
