"""The identity stage: identifiers into evidence, evidence into persons."""
