"""Erasure and the other rights of a person: what is asked, what is taken, and what stays away."""
