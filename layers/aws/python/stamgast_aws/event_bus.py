"""The bus on which the platform tells others what changed, kept by EventBridge."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from stamgast.identity.plan import IdentityChange
from stamgast.segments.changes import ENTERED, LEFT, MembershipChange
from stamgast.store_error import StoreError
from stamgast_aws.calls import call

SOURCE = "stamgast"
IDENTITY_CHANGED = "Identity Changed"
SEGMENT_CHANGED = {ENTERED: "Segment Entered", LEFT: "Segment Left"}
MOST_ENTRIES = 10


class EventBridgeBus:
    """Puts domain events; none of them carries a value of an identifier."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish_identity(self, changes: Sequence[IdentityChange]) -> int:
        """Tells each change of identity; how many of them the bus did not take."""
        return self.publish(IDENTITY_CHANGED, [asdict(change) for change in changes])

    def publish_memberships(self, changes: Sequence[MembershipChange]) -> int:
        """Tells who entered and who left a segment; how many changes the bus did not take."""
        return sum(
            self.publish(name, [change.told for change in changes if change.change == kind])
            for kind, name in SEGMENT_CHANGED.items()
        )

    def publish(self, detail_type: str, details: Sequence[dict[str, Any]]) -> int:
        """Puts the details under one type; how many of them the bus did not take."""
        starts = range(0, len(details), MOST_ENTRIES)
        return sum(self._put(detail_type, details[n : n + MOST_ENTRIES]) for n in starts)

    def _put(self, detail_type: str, details: Sequence[dict[str, Any]]) -> int:
        entries = [
            {
                "Source": SOURCE,
                "DetailType": detail_type,
                "Detail": orjson.dumps(detail).decode(),
                "EventBusName": self._bus,
            }
            for detail in details
        ]
        try:
            answer = call(self._client.put_events, Entries=entries)
        except StoreError:
            return len(entries)
        return int(answer["FailedEntryCount"])
