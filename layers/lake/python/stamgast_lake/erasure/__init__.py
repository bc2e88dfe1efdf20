"""Erasure in the lake: find the files that hold a person, and rewrite those and no others."""
