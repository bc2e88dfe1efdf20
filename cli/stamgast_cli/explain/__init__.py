"""Explanations of persons for people: a tree in the terminal, a page with a picture."""
