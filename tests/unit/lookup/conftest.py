"""People to look up: one known by verified evidence, one of whom a browser only claimed."""

import pytest

from stamgast.identity.assurance import Assurance
from tests.fakes.lookup import MemoryLookupStore, traits

VERIFIED, CLAIMED = Assurance.VERIFIED, Assurance.CLAIMED

COMPUTED = '{"baskets": 7.0, "days_since_last": {"$since": "2023-11-12"}}'


@pytest.fixture
def store() -> MemoryLookupStore:
    """A verified person `pv`, and `pc` whom a stranger's claim reaches."""
    store = MemoryLookupStore()
    store.add(
        "pv",
        {"user_id:u1": (VERIFIED, "g"), "email:anne+x@example.org": (VERIFIED, "g")},
        {
            "user_id:u1": traits(name="Anne"),
            "email:anne+x@example.org": traits(1_700_000_001_000, city="Delft"),
        },
        {
            "segments": {"loyal": {"since": "2026-01-01"}},
            "rfm": {"rfm": {"segment": "champions", "score": "555"}},
            "computed": {"computed": {"traits": COMPUTED}},
        },
    )
    store.add(
        "pc",
        {
            "user_id:victim": (VERIFIED, "g"),
            "email:victim@example.org": (VERIFIED, "g"),
            "anonymous_id:stranger": (CLAIMED, "h"),
        },
        {
            "user_id:victim": traits(secret="of the victim"),
            "anonymous_id:stranger": traits(seen="by the stranger"),
        },
        {
            "segments": {"loyal": {"since": "2026-01-01"}},
            "rfm": {"rfm": {"segment": "champions", "score": "555"}},
            "computed": {"computed": {"traits": COMPUTED}},
        },
    )
    return store
