"""Remembers keys for a while: answers stay fast, and go on while the key store is down."""

from collections import OrderedDict
from dataclasses import dataclass, field

from stamgast.ingestion.write_key import KeyStore, KeyStoreError, Source

FRESH_MS = 30_000
FRESH_UNKNOWN_MS = 5_000
STALE_MS = 15 * 60_000
MOST_KEYS = 10_000


@dataclass(slots=True)
class KeyCache:
    """Looks keys up by hash; an answer is used for 30 s, "unknown" for 5 s.

    While the store is down, keys seen within the last 15 minutes go on working. A revoked key is
    refused within 30 s, since its entry is asked for anew by then.
    """

    store: KeyStore
    _seen: OrderedDict[str, tuple[int, Source | None]] = field(default_factory=OrderedDict)

    def find(self, key_hash: str, now_ms: int) -> Source | None:
        """None for an unknown or revoked key; raises KeyStoreError when nothing can be said."""
        asked_ms, source = self._seen.get(key_hash, (-STALE_MS, None))
        age_ms = now_ms - asked_ms
        if age_ms < (FRESH_MS if source else FRESH_UNKNOWN_MS):
            return source
        try:
            found = self.store.find(key_hash)
        except KeyStoreError:
            if source is None or age_ms >= STALE_MS:
                raise
            return source
        self._remember(key_hash, now_ms, found)
        return found

    def _remember(self, key_hash: str, now_ms: int, source: Source | None) -> None:
        self._seen[key_hash] = (now_ms, source)
        self._seen.move_to_end(key_hash)
        if len(self._seen) > MOST_KEYS:
            self._seen.popitem(last=False)
