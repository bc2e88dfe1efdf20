"""What an export was told to do, and where in the bucket its files lie."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from stamgast.egress.decision import Egress
from stamgast.egress.fields import Field
from stamgast.moments import moment_of, ms_of

PREFIX = "exports"
CSV, PARQUET = "csv", "parquet"
FORMATS = (CSV, PARQUET)


@dataclass(frozen=True, slots=True)
class Order:
    """An export of a segment: who asked for which fields for which purpose, in which form."""

    job_id: str
    segment: str
    purpose: str
    fields: tuple[Field, ...]
    format: str
    recipient: str
    asked_ms: int
    stated: str | None = None

    @property
    def purposes(self) -> tuple[str, ...]:
        """What must all be covered: the purpose asked for, and the one that the segment states."""
        return (self.purpose,) if self.stated is None else (self.purpose, self.stated)

    @property
    def on(self) -> date:
        """The day (UTC) under which its receipts stand."""
        return moment_of(self.asked_ms).date()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields in their order."""
        return tuple(field.name for field in self.fields)

    def key(self, name: str) -> str:
        """Where a document or a file of this export lies."""
        return f"{PREFIX}/{self.job_id}/{name}"


@dataclass(frozen=True, slots=True)
class Selected:
    """Who was selected: by which run, under which version of the rule, in how many parts."""

    run_id: str
    as_of: datetime
    rule_version: str | None
    members: int
    parts: int

    def to_json(self) -> bytes:
        """The document that the parts are worked off from."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**told, "as_of": self.as_of.isoformat()}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Selected":
        """Reads what `to_json` wrote."""
        told: Mapping[str, Any] = json.loads(text)
        as_of = datetime.fromisoformat(told["as_of"]).astimezone(UTC)
        return cls(**{**told, "as_of": as_of})

    def egress(self, order: Order) -> Egress:
        """The act as its receipts tell it."""
        return Egress(
            egress_id=order.job_id,
            kind="export",
            recipient=order.recipient,
            purpose=order.purpose,
            fields=order.names,
            as_of_ms=ms_of(self.as_of),
            segment=order.segment,
            rule_version=self.rule_version,
        )

    def file_name(self, order: Order, part: int) -> str:
        """A name that says what is in the file and as of when."""
        as_of = self.as_of.strftime("%Y%m%dT%H%M%SZ")
        number = f"-{part + 1:03d}" if self.parts > 1 else ""
        return f"{order.segment}-{order.purpose}-{as_of}{number}.{order.format}"
