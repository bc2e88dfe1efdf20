"""The lookup stage: one identifier in, one person's profile out, within the reader's scope."""
