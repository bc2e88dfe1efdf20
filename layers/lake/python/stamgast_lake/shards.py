"""Sixteen shards of keys: the partition of every table that is kept by key."""

SHARDS = 16
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def shard_of(key: str) -> int:
    """The shard (0 to 15) of an identifier's key or a person's id: its last hash character."""
    return ALPHABET.index(key[-1]) % SHARDS


def shard_sql(column: str) -> str:
    """The same in SQL, for DuckDB and Athena alike."""
    return f"(strpos('{ALPHABET}', substr({column}, length({column}), 1)) - 1) % {SHARDS}"
