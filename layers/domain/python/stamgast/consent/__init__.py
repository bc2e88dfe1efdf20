"""What a person allows: for which purposes their data may be used, denied until it is known."""
