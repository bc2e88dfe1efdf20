"""The segments stage: who belongs where, and why; here by recency, frequency and money."""
