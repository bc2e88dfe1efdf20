"""The ingestion stage: authenticate, validate, stamp, acknowledge only what is durable."""
