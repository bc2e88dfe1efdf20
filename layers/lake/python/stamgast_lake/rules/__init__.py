"""The SQL reading of the rule language: every rule over every person in one pass of the lake."""
