"""What leaves the platform: which fields, of whom, for which purpose, and a receipt of each."""
