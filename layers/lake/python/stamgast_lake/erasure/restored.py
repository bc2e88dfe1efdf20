"""What tables that were put back hold of who had been erased, by the tombstones that stand."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa

from stamgast.erasure.tombstones import Tombstones
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.pruning import among
from stamgast_lake.tables import EVENTS

OLDEST = """
    select anchor_key, epoch_ms(min(least(received_at, event_at))) from told_events
    where anchor_key in (select key from erased) group by 1
"""


class Foundings(Protocol):
    """The live view, as much of it as tells the old from the new."""

    def founded(self, keys: frozenset[str]) -> Mapping[str, int]:
        """When each of these identifiers that is known was founded, in ms since 1970."""
        ...


def restored_keys(lake: Lake, live: Foundings, tombstones: Tombstones) -> dict[int, frozenset[str]]:
    """Those of these erased identifiers that are there again, by the moment of their erasure.

    An identifier that the live view knows as founded since is somebody's who came back, and is
    left alone.
    """
    founded = live.founded(frozenset(tombstones))
    came_back = {key for key, at_ms in founded.items() if at_ms > tombstones[key].until_ms}
    oldest = {**_oldest(lake, tombstones), **founded}
    found: defaultdict[int, set[str]] = defaultdict(set)
    for key, at_ms in oldest.items():
        if key not in came_back and at_ms <= tombstones[key].until_ms:
            found[tombstones[key].until_ms].add(key)
    return {until_ms: frozenset(keys) for until_ms, keys in sorted(found.items())}


def _oldest(lake: Lake, tombstones: Tombstones) -> dict[str, int]:
    """The oldest event at each of these anchors."""
    if not tombstones:
        return {}
    with session() as engine:
        held = among(lake.catalogue.dataset(EVENTS), "anchor_key", sorted(tombstones))
        engine.register("told_events", held)
        engine.register("erased", pa.table({"key": pa.array(sorted(tombstones), pa.string())}))
        return dict(engine.execute(OLDEST).fetchall())
