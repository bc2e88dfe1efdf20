"""Models as a workspace declares them: what is predicted, of whom, from what, and how well."""
