"""The parts that recur in the stages, each with its defaults."""
