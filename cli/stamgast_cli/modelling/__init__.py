"""Models on this machine: a panel from a deployment's lake, and what is learnt of it."""
