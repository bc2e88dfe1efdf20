"""Provisional links in the lake: stated by models, expired, settled by log-ins, published."""
