"""A month's bill: prices, what a volume costs, and what a deployed stack used."""
