"""The workspace: a customer's configuration as code, validated whole and compiled to one JSON."""
