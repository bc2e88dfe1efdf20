"""Record linkage: which persons are probably one, from names, addresses, dates and numbers."""
