"""The engine of the lake: DuckDB computes, pyiceberg plans and commits, stages over tables."""
