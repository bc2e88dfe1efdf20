"""One part of an export: each person asked again just before the row is written, with a receipt."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from stamgast.consent.coverage import consent_of_row, coverage_of_all
from stamgast.egress.decision import Decision, LivePerson, LivePersons, decided, unparted
from stamgast.egress.fields import Field, Of
from stamgast.moments import iso_of, moment_of, ms_of
from stamgast.segments.kept import at_day
from stamgast_lake.catalogue import Commit
from stamgast_lake.exports.files import hash_of, writer_of
from stamgast_lake.exports.order import Order, Selected
from stamgast_lake.exports.select import COMPUTED, CONSENT, MEMBERS, PERSON_ID, read_part
from stamgast_lake.lake import Lake
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EGRESS_RECEIPTS

PERSONS_AT_ONCE = 1_000
JOIN = ";"
Row = Mapping[str, Any]
Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class PartDone:
    """What became of one part: its file, and how many were allowed or refused for which reason."""

    name: str
    rows: int
    bytes: int
    sha256: str
    reasons: Mapping[str, int]
    first_ms: int
    last_ms: int

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "reasons": dict(self.reasons)
        }


@dataclass(slots=True)
class PartWork:
    """Works off one part; a file, and the receipts of everybody in it, or nothing at all."""

    lake: Lake
    persons: LivePersons
    now_ms: Clock
    order: Order
    selected: Selected
    at_once: int = PERSONS_AT_ONCE
    receipts: list[pa.RecordBatch] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    first_ms: int = 0

    def do(self, part: int) -> None:
        """Writes the part's file, what became of it, and then its receipts, which make it so."""
        commit = Commit(self.order.job_id, f"part-{part:05d}")
        if self.lake.catalogue.is_done(EGRESS_RECEIPTS, commit):
            return
        self.receipts, self.reasons, self.first_ms = [], Counter(), self.now_ms()
        name = self.selected.file_name(self.order, part)
        with TemporaryDirectory(prefix="stamgast-") as folder:
            path = Path(folder) / "file"
            rows = self._write(path, read_part(self.lake, self.order, part))
            done = self._put(path, name, rows)
        self._keep(f"done/{part:05d}.json", json.dumps(done.document).encode())
        schema = arrow_schema(EGRESS_RECEIPTS)
        found = pa.RecordBatchReader.from_batches(schema, self.receipts)
        self.lake.catalogue.append(EGRESS_RECEIPTS, found, commit)

    def _write(self, path: Path, selected: pa.Table) -> int:
        writer = writer_of(self.order, path, iso_of(ms_of(self.selected.as_of)))
        written = 0
        for batch in selected.to_batches(max_chunksize=self.at_once):
            rows = list(self._decided(batch.to_pylist()))
            writer.write(rows)
            written += len(rows)
        writer.close()
        return written

    def _decided(self, rows: Sequence[Row]) -> Iterator[Sequence[object]]:
        """The rows of those who may leave, asked of the live view this very moment."""
        names, purposes = self.order.purposes, self.lake.workspace().consents
        then = {row[PERSON_ID]: coverage_of_all(_consent(row), names, purposes) for row in rows}
        asked = [person_id for person_id, told in then.items() if told.is_covered]
        # What the version before has selected names no members.
        members = {row[PERSON_ID]: row.get(MEMBERS) or () for row in rows}
        live = unparted(self.persons.read(asked, self._namespaces), members) if asked else {}
        decisions = [
            decided(one := row[PERSON_ID], then[one], live.get(one), names, purposes)
            for row in rows
        ]
        self._receipt(decisions)
        for row, decision in zip(rows, decisions, strict=True):
            if decision.is_allowed:
                yield self._values(row, live[row[PERSON_ID]])

    @property
    def _namespaces(self) -> frozenset[str]:
        return frozenset(f.path[0] for f in self.order.fields if f.of is Of.IDENTIFIER)

    def _values(self, row: Row, person: LivePerson) -> list[object]:
        computed = self._computed(row)
        return [
            self._value(one, row[f"f{place}"], computed, person)
            for place, one in enumerate(self.order.fields)
        ]

    def _value(self, one: Field, told: object, computed: Row, person: LivePerson) -> object:
        match one.of:
            case Of.IDENTIFIER:
                return JOIN.join(person.identifiers.get(one.path[0], ())) or None
            case Of.COMPUTED:
                return _text(computed.get(one.path[0]))
        return told

    def _computed(self, row: Row) -> Row:
        if row[COMPUTED] is None or not any(f.of is Of.COMPUTED for f in self.order.fields):
            return {}
        return at_day(json.loads(row[COMPUTED]), self._today)

    @property
    def _today(self) -> date:
        """The day of the run that selected, by which computed traits count days."""
        return self.selected.as_of.astimezone(ZoneInfo(self.lake.workspace().time_zone)).date()

    def _receipt(self, decisions: Sequence[Decision]) -> None:
        self.reasons.update(decision.why.value for decision in decisions)
        rows = [self._row(decision) for decision in decisions]
        self.receipts += pa.Table.from_pylist(rows, arrow_schema(EGRESS_RECEIPTS)).to_batches()

    def _row(self, decision: Decision) -> dict[str, Any]:
        egress, said_ms = self.selected.egress(self.order), decision.coverage.said_ms
        return {
            "egress_id": egress.egress_id,
            "kind": egress.kind,
            "person_id": decision.person_id,
            "recipient": egress.recipient,
            "purpose": egress.purpose,
            "segment": egress.segment,
            "rule_version": egress.rule_version,
            "fields": list(egress.fields) if decision.is_allowed else [],
            "is_allowed": decision.is_allowed,
            "reason": decision.why.value,
            "consent_version": decision.coverage.version,
            "consent_at": None if said_ms is None else moment_of(said_ms),
            "as_of": self.selected.as_of,
            "decided_at": moment_of(self.now_ms()),
            "egress_on": self.order.on,
            "run_id": self.order.job_id,
        }

    def _put(self, path: Path, name: str, rows: int) -> PartDone:
        with path.open("rb") as file:
            self.lake.s3.put_object(Bucket=self.lake.bucket, Key=self.order.key(name), Body=file)
        return PartDone(
            name=name,
            rows=rows,
            bytes=path.stat().st_size,
            sha256=hash_of(path),
            reasons=self.reasons,
            first_ms=self.first_ms,
            last_ms=self.now_ms(),
        )

    def _keep(self, name: str, text: bytes) -> None:
        self.lake.s3.put_object(Bucket=self.lake.bucket, Key=self.order.key(name), Body=text)


def receipt_of(lake: Lake, order: Order, selected: Selected) -> dict[str, Any]:
    """What left, and what did not, of the whole export: the sums of its parts."""
    parts = [_done(lake, order, part) for part in range(selected.parts)]
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part["reasons"])
    return {
        "export": order.job_id,
        "segment": order.segment,
        "rule_version": selected.rule_version,
        "purpose": order.purpose,
        "fields": list(order.names),
        "format": order.format,
        "recipient": order.recipient,
        "as_of": iso_of(ms_of(selected.as_of)),
        "run_id": selected.run_id,
        "members": selected.members,
        "exported": sum(part["rows"] for part in parts),
        "reasons": dict(sorted(reasons.items())),
        "decided_from": iso_of(min(part["first_ms"] for part in parts)),
        "decided_until": iso_of(max(part["last_ms"] for part in parts)),
        "files": [
            {name: part[name] for name in ("name", "rows", "bytes", "sha256")} for part in parts
        ],
    }


def _done(lake: Lake, order: Order, part: int) -> dict[str, Any]:
    answer = lake.s3.get_object(Bucket=lake.bucket, Key=order.key(f"done/{part:05d}.json"))
    told: dict[str, Any] = json.loads(answer["Body"].read())
    return told


def _consent(row: Row) -> Any:
    return consent_of_row(None if row[CONSENT] is None else json.loads(row[CONSENT]))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
