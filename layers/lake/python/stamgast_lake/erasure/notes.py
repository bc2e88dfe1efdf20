"""What others wrote of the erased and what is there again: found by the tombstones' keys alone.

The values of the erased are forgotten with their certificates, so each word of a text that could be
an identifier is hashed as one would be, and compared. Only a restore pays for that.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import Any, NamedTuple

import orjson

from stamgast.erasure.naming import Naming
from stamgast.erasure.tombstones import Tombstones
from stamgast.identity.settings import Form
from stamgast.moments import ms_of, parse_iso
from stamgast_lake.catalogue import one_of
from stamgast_lake.engine import session
from stamgast_lake.erasure.archive import readable
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.scan import texts_of
from stamgast_lake.erasure.tables import ROWS_A_BATCH, TEXTS
from stamgast_lake.lake import Lake
from stamgast_lake.tables import EVENTS

# Bounded, or a long text without a space would be walked once for each of its characters.
PART = r"""[^\s"'<>()\[\]{},;:\\/=?&@]"""
ADDRESS = re.compile(f"{PART}{{1,256}}@{PART}{{1,256}}")
NUMBER = re.compile(r"\+?[0-9][0-9 ./()\-]{6,20}[0-9]")
WORD = re.compile(r"[^\W_][\w.\-]{6,62}[^\W_]")
SPELT = (("%40", "@"), ("\\u0040", "@"), ("&#64;", "@"), ("%2B", "+"), ("\\n", " "), ("\\t", " "))
DROPPED = "imports/"
PUT = (DROPPED, "raw/", "rejected/")
HOUR = re.compile(r"/date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/")
IMPORTED = "/import-"  # rows of a dropped file are as old as they say
DAYS = "select distinct event_on from candidate order by 1"
SAID = f"""
    select {TEXTS}, epoch_ms(least(received_at, event_at)) from candidate
    where anchor_key is not null
"""


class Written(NamedTuple):
    """An object as S3 lists it: its key, entity tag and size, and when it was written (ms)."""

    key: str
    etag: str
    bytes: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Notes:
    """What texts spell of whose tombstones stand; each answer is erased keys with their values."""

    lake: Lake
    tombstones: Tombstones

    def days(self) -> list[str]:
        """The days of events, each of which is read apart."""
        with session() as engine:
            engine.register("candidate", self.lake.catalogue.dataset(EVENTS))
            return [day.isoformat() for (day,) in engine.execute(DAYS).fetchall()]

    def of_day(self, day: str) -> dict[str, str]:
        """What texts of events of a day spell."""
        on = one_of("event_on", [date.fromisoformat(day)])
        found: dict[str, str] = {}
        with session() as engine:
            engine.register("candidate", self.lake.catalogue.dataset(EVENTS, on))
            told = engine.execute(SAID)
            while rows := told.fetchmany(ROWS_A_BATCH):
                found |= self._spelled(rows)
        return found

    def objects(self, after: str, since_ms: int = 0) -> Iterator[Written]:
        """Objects of archive and drop zone that were written since an erasure.

        In the order of their keys. What arrived by HTTP is archived in the hour of its arrival, so
        it is passed over unless an erasure lies between that hour and the moment it was written.
        Of those alone that were written from a moment on, if it is told.
        """
        pages, moments = self.lake.s3.get_paginator("list_objects_v2"), self._moments()
        for prefix in (one for one in PUT if moments and one >= after[: len(one)]):
            listed = pages.paginate(Bucket=self.lake.bucket, Prefix=prefix, StartAfter=after)
            for one in (told for page in listed for told in page.get("Contents", ())):
                written_ms = ms_of(one["LastModified"].astimezone(UTC))
                first, last = (bisect_left(moments, at) for at in (_begun(one["Key"]), written_ms))
                if first < last and written_ms >= since_ms:
                    yield Written(one["Key"], one["ETag"].strip('"'), one["Size"], written_ms)

    def _moments(self) -> list[int]:
        """The moments of all erasures, in order."""
        return sorted({one.until_ms for one in self.tombstones.values()})

    def of_object(self, written: Written) -> dict[str, str]:
        """What the lines of an object of the archive, or the texts of a dropped file, spell.

        Nothing where it is gone by now.
        """
        objects, key = Objects(self.lake.s3, self.lake.bucket), written.key
        body, begun_ms = objects.body(key) if objects.stands(key) else b"", _begun(key)
        told = ((one, 0) for one in texts_of(body)) if key.startswith(DROPPED) else _lines(body)
        standing = {
            name: one
            for name, one in self.tombstones.items()
            if begun_ms <= one.until_ms < written.at_ms
        }
        return replace(self, tombstones=standing)._spelled(told)

    def _spelled(self, rows: Iterable[tuple[str, int]]) -> dict[str, str]:
        """The erased identifiers in texts, of those that are not younger than the erasure."""
        if not self.tombstones:
            return {}
        oldest: dict[str, int] = {}
        for text, at_ms in rows:
            for word in words_of(text):
                oldest[word] = min(at_ms, oldest.get(word, at_ms))
        reading = _Reading.of(self.lake, self.tombstones)
        return {
            key: value
            for word, at_ms in oldest.items()
            for key, value in reading.spelled(word)
            if key in self.tombstones and at_ms <= self.tombstones[key].until_ms
        }


def _begun(key: str) -> int:
    """When the hour of an object of the archive began (ms); 0 where its lines may be of any age."""
    hour = None if IMPORTED in key else HOUR.search(key)
    return 0 if hour is None else parse_iso(f"{hour[1]}T{hour[2]}:00:00+00:00")


def words_of(text: str) -> set[str]:
    """Every part of a text that could be an identifier of eight characters or more."""
    for had, read in SPELT:
        text = text.replace(had, read)
    found = (one for pattern in (ADDRESS, NUMBER, WORD) for one in pattern.findall(text))
    return {one.rstrip(".-") for one in found}


def _lines(body: bytes) -> Iterator[tuple[str, int]]:
    """The lines of an object of the archive, each with the moment of its event."""
    for line in readable(body)[0]:
        with suppress(ValueError, TypeError, AttributeError):
            yield line.decode("utf-8", "replace"), _moment(orjson.loads(line))


def _moment(record: Mapping[str, Any]) -> int:
    told = (record.get(name) for name in ("received_at", "event_at"))
    return min((parse_iso(one) for one in told if isinstance(one, str)), default=0)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads a word as what it may be: libphonenumber costs ten times what hashing does."""

    addresses: Naming
    numbers: tuple[Naming, ...]
    words: Naming

    @classmethod
    def of(cls, lake: Lake, tombstones: Tombstones) -> "_Reading":
        settings, keyring = lake.workspace().identity, lake.keyring()
        erased = {key.partition(":")[0] for key in tombstones}
        known = [one for one in settings.namespaces if one.name in erased]

        def naming(*forms: Form, region: str | None = None) -> Naming:
            told = tuple(one for one in known if one.form in forms)
            return Naming(replace(settings, namespaces=told), keyring, region)

        regions = sorted({*settings.regions.values(), settings.default_region or ""})
        return cls(
            addresses=naming(Form.EMAIL, Form.TEXT),
            numbers=tuple(naming(Form.PHONE, region=one or None) for one in regions),
            words=naming(Form.TEXT),
        )

    def spelled(self, word: str) -> Iterator[tuple[str, str]]:
        """The identifiers that a word spells, as keys with values."""
        if "@" in word:
            yield from self.addresses.spelled(word).items()
            return
        yield from self.words.spelled(word).items()
        if NUMBER.fullmatch(word):
            for one in self.numbers:
                yield from one.spelled(word).items()
