"""Where every decision to show or to tell something of a person is kept: the audit log's stream."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from stamgast.egress.disclosure import Disclosure
from stamgast.egress.pseudonyms import Salts, salted_name
from stamgast.profile.store import Pause
from stamgast.store_error import StoreError
from stamgast.workspace.model import Workspace
from stamgast_aws.firehose_archive import FirehoseArchive
from stamgast_aws.salt_store import DynamoSalts

if TYPE_CHECKING:  # a look-up keeps disclosures, and imports nothing of segments
    from stamgast.egress.telling import ConsentedTelling
    from stamgast.segments.changes import MembershipChange

READS_AT_ONCE = 4
BUS = "event_bus"
Tell: TypeAlias = Callable[[Sequence["MembershipChange"]], int]


class FirehoseDisclosures:
    """Keeps decisions before they are acted upon, persons under their salts."""

    def __init__(self, client: Any, stream: str, pause: Pause, salts: Salts) -> None:
        self._archive, self._salts = FirehoseArchive(client, stream, pause), salts

    def keep(self, told: Sequence[tuple[str, Disclosure]]) -> None:
        """Keeps each under its id; raises StoreError unless all of them are."""
        if not told:
            return
        whose = [salted_name(one.person_id, name) for name, one in told]
        salts = self._salts.of(whose)
        lines = [
            (name, one.to_json(name, salts[who]))
            for (name, one), who in zip(told, whose, strict=True)
        ]
        if self._archive.put(lines):
            raise StoreError("a disclosure could not be kept")

    def keep_all(self, request_id: str | None, told: Sequence[Disclosure]) -> None:
        """Keeps what a request showed and withheld, each under the request and its place."""
        name = request_id or uuid4().hex
        self.keep([(f"{name}:{place}", one) for place, one in enumerate(told)])


def disclosures_to(
    client: Callable[[str], Any], stream: str, control_table: str, pause: Pause
) -> FirehoseDisclosures:
    """The audit log behind this stream, with the salts of this table."""
    salts = DynamoSalts(client("dynamodb"), control_table)
    return FirehoseDisclosures(client("firehose"), stream, pause, salts)


def consented(
    tell: Tell,
    workspace: Workspace,
    disclosures: FirehoseDisclosures,
    dynamodb: Any,
    table: str,
    now_ms: Callable[[], int],
    pause: Pause,
) -> "ConsentedTelling":
    """The way to tell changes of membership: by consent where segments state a purpose."""
    # Imported on use: a look-up, which keeps disclosures, needs none of it.
    from stamgast.egress.telling import ConsentedTelling
    from stamgast_aws.live_persons import DynamoLivePersons

    stated = {one["name"]: one["purpose"] for one in workspace.segments if one.get("purpose")}
    persons = DynamoLivePersons(dynamodb, table, _threads(), pause)
    return ConsentedTelling(
        tell, persons, stated, workspace.consents, disclosures.keep, now_ms, BUS
    )


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READS_AT_ONCE)
