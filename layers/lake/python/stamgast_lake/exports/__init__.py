"""Segments on their way out: who is selected, what each may be told, and files with receipts."""
