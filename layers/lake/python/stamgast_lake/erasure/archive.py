"""The archive: lines of the erased, rewritten in the objects that hold them.

A line of the archive leaves its receipt, so that a rebuild from raw counts it as suppressed.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from stamgast.erasure.gate import kept
from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import needles_of
from stamgast.erasure.remains import is_rejected_barred, remains_of, remains_of_rejected
from stamgast.erasure.subject import Subject
from stamgast.erasure.tombstones import Fate, Tombstone, Tombstones, judge, keys_of, names_any
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast_lake.archive import GZIP_MAGIC, read_lines
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.put_back import PutBack
from stamgast_lake.erasure.redaction import Redaction
from stamgast_lake.imports.texts import BROKEN_GZIP
from stamgast_lake.inputs import THOROUGH, Listing, new_objects
from stamgast_lake.lake import Lake

UNREADABLE = (ValueError, KeyError, TypeError)
LEVEL = 3


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done to objects: how many were read, rewritten or deleted, and lines taken out."""

    read: int = 0
    rewritten: int = 0
    lines: int = 0

    def __add__(self, other: "Cleaned") -> "Cleaned":
        return Cleaned(
            self.read + other.read, self.rewritten + other.rewritten, self.lines + other.lines
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What lines tell: whom the erased persons' could found, messages that go, and others' names.

    `births` are ids of persons, `gone` keys of messages, `others` all identifiers of what stays.
    """

    births: frozenset[str]
    gone: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class ArchiveErasure:
    """The erasure of some persons from raw and rejected lines, under the law of tombstones.

    Those tombstones are the persons' own, or `standing` ones of erasures before.
    """

    lake: Lake
    subjects: tuple[Subject, ...]
    is_dry: bool = False
    standing: Tombstones | None = None

    def raw(self, keys: Iterable[str]) -> Cleaned:
        """Rewrites these objects of the raw archive where lines tell of the erased."""
        return self._all(keys, self._raw_line())

    def rejected(self, keys: Iterable[str] | None = None) -> Cleaned:
        """Rewrites what of the quarantine tells of the erased; without keys all of it is read.

        What stands behind a break is left out, for nobody can say of whom it does not tell.
        """
        wanted = self._objects.keys("rejected/") if keys is None else keys
        return self._all(wanted, self._rejected_line())

    def unloaded(self, moment: datetime) -> list[str]:
        """The raw objects that no run has taken in yet."""
        listed = Listing(self.lake.s3, self.lake.bucket).archive(moment, THOROUGH)
        found = new_objects(self.lake.catalogue, listed)
        return [one.key for one in found if one.kind == "raw"]

    def told(self, keys: Iterable[str]) -> "Told":
        """What the lines of these objects tell of the erased, and of others."""
        settings, keyring = self.lake.workspace().identity, self.lake.keyring()
        erased = frozenset(key for subject in self.subjects for key in subject.keys)
        births, gone, others = set[str](), set[str](), set[str]()
        tombstones = self._tombstones
        for key in self._standing(keys):
            for line in readable(self._objects.body(key))[0]:
                with suppress(*UNREADABLE):
                    event = interpret(RawRecord.from_json(line), settings, keyring)
                    if event.anchor in erased:
                        births |= _births(event, keyring)
                    if judge(event, tombstones).fate is Fate.SUPPRESSED:
                        gone.add(event.message_key)
                    else:
                        others.update(keys_of(event))
        return Told(frozenset(births), frozenset(gone), frozenset(others))

    def strangers(self, keys: Iterable[str]) -> frozenset[str]:
        """The anchors of lines of these objects whose texts tell of the erased, without a name."""
        settings, keyring = self.lake.workspace().identity, self.lake.keyring()
        tombstones, needles, found = self._tombstones, needles_of(self.subjects), set[str]()
        for line in (
            one for key in self._standing(keys) for one in readable(self._objects.body(key))[0]
        ):
            with suppress(*UNREADABLE):
                if needles.found_in(line):
                    event = interpret(RawRecord.from_json(line), settings, keyring)
                    is_named = names_any(event, tombstones)
                    found |= {event.anchor} if event.anchor and not is_named else set()
        return frozenset(found)

    @property
    def _tombstones(self) -> Tombstones:
        return tombstones_of(self.subjects) if self.standing is None else self.standing

    @property
    def _objects(self) -> Objects:
        return Objects(self.lake.s3, self.lake.bucket)

    def _standing(self, keys: Iterable[str]) -> Iterator[str]:
        """Those of the objects that are there: an archive ends after a workspace's days."""
        return (key for key in keys if self._objects.tag(key) is not None)

    def _all(self, keys: Iterable[str], left: Callable[[bytes], bytes]) -> Cleaned:
        done = Cleaned()
        for key in self._standing(sorted(set(keys))):
            done += self._object(key, left)
        return done

    def _object(self, key: str, left: Callable[[bytes], bytes]) -> Cleaned:
        body = self._objects.body(key)
        had, is_broken = readable(body)
        lines = [left(line) for line in had]
        changed = sum(line != was for line, was in zip(lines, had, strict=True)) + is_broken
        if changed and not self.is_dry:
            PutBack(self.lake).remember(self._objects.tag(key))
            text = b"".join(line + b"\n" for line in lines)
            is_zipped = body[:2] == GZIP_MAGIC
            self._objects.put(key, gzip.compress(text, LEVEL, mtime=0) if is_zipped else text)
        elif not self.is_dry:
            self._objects.drop_old([key])
        return Cleaned(1, int(changed > 0), changed)

    def _raw_line(self) -> Callable[[bytes], bytes]:
        settings, keyring = self.lake.workspace().identity, self.lake.keyring()
        tombstones, needles = self._tombstones, needles_of(self.subjects)
        redaction = Redaction(self.subjects, settings, keyring)

        def left(line: bytes) -> bytes:
            try:
                record = RawRecord.from_json(line)
                event = interpret(record, settings, keyring)
            except UNREADABLE:
                return b"{}" if needles.found_in(line) else line
            judged = judge(event, tombstones)
            if judged.fate is Fate.SUPPRESSED:
                return remains_of(record, event).to_json()
            is_since = judged.fate is Fate.KEPT and names_any(event, tombstones)
            if is_since or (judged.fate is Fate.KEPT and not needles.found_in(line)):
                return line
            record, _ = kept(record, event, judged, settings, keyring)
            return redaction.of_record(record)

        return left

    def _rejected_line(self) -> Callable[[bytes], bytes]:
        naming = Naming(self.lake.workspace().identity, self.lake.keyring())
        tombstones, needles = self._tombstones, needles_of(self.subjects)

        def left(line: bytes) -> bytes:
            try:
                record = RejectedRecord.from_json(line)
            except UNREADABLE:
                return b"{}" if needles.found_in(line) else line
            is_barred = is_rejected_barred(record, naming, tombstones)
            if is_barred or needles.found_in(line):
                return remains_of_rejected(record).to_json()
            return line

        return left


def readable(body: bytes) -> tuple[list[bytes], bool]:
    """The lines of an object as far as it can be inflated, and whether it breaks off there."""
    lines: list[bytes] = []
    try:
        lines.extend(read_lines(body))
    except BROKEN_GZIP:
        return lines, True
    return lines, False


def _births(event: Event, keyring: Keyring) -> set[str]:
    """The ids of all persons that an event could found."""
    return {
        keyring.person_id(event.source_id, event.message_id, place) for place, _ in event.placed
    }


def tombstones_of(subjects: Iterable[Subject]) -> dict[str, Tombstone]:
    """The tombstones that the persons' identifiers get.

    Who was told apart from the erased is so with every identifier, not with those alone that had
    been named beside them.
    """
    found: dict[str, Tombstone] = {}
    for subject in subjects:
        others = subject.apart | subject.partners
        for key in subject.keys:
            found[key] = Tombstone(key, subject.until_ms, others)
    return found
