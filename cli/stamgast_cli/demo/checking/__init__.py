"""Parts of the checking script, which share no code with the product."""
