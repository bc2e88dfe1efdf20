"""The live item as plain attributes: aimed at one kilobyte, which is one write unit."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.profile.facts import Digest, Moment, ShortId
from stamgast.profile.items import Live
from stamgast.profile.packing import (
    KEY_BYTES,
    Reader,
    Writer,
    pack_ids,
    pack_keys,
    unpack_ids,
    unpack_keys,
)
from stamgast.profile.registers import Register
from stamgast.profile.ring import NOTHING_EVICTED, Ring
from stamgast.profile.schema import SCHEMA, check_schema


def live_attributes(live: Live) -> dict[str, Any]:
    """`v` version, `r` ring, `h` horizon, `b` base dropped against, `j` run joined, `d` rest."""
    horizon = live.ring.horizon
    return {
        "schema": SCHEMA,
        "v": live.version,
        "r": pack_ids(live.ring.ids),
        "h": b"" if horizon == NOTHING_EVICTED else pack_ids((horizon,)),
        "b": live.base_run,
        "j": live.joined_run,
        "d": _packed(live),
    }


def live_of(attributes: dict[str, Any]) -> Live:
    """The item that `live_attributes` wrote, of this schema or the one before."""
    check_schema(attributes)
    ring = unpack_ids(attributes["r"])
    horizon = unpack_ids(attributes["h"])
    read = _Unpacking(Reader(attributes["d"]), ring)
    return Live(
        version=attributes["v"],
        ring=Ring(ring, horizon[0] if horizon else NOTHING_EVICTED),
        base_run=attributes["b"],
        joined_run=attributes.get("j", 0),
        **read.parts(),
    )


def _packed(live: Live) -> bytes:
    pack = _Packing(Writer(), live)
    pack.parts()
    return bytes(pack.out.text)


class _Packing:
    """Writes marks, texts, tail and registers; keys that the ring holds shrink to an index."""

    def __init__(self, out: Writer, live: Live) -> None:
        self.out, self.live = out, live

    def parts(self) -> None:
        texts = sorted(set(_texts(self.live.tail)))
        keys = sorted(self.live.keys)
        self._keys(keys)
        self._listed(texts)
        names = {text: index for index, text in enumerate(texts)}
        places = {key: index for index, key in enumerate(keys)}
        self.out.count(len(self.live.tail))
        for digest in self.live.tail:
            self._digest(digest, places, names)
        self._moments(places)
        self._registers(places)
        self._measures()

    def _keys(self, keys: list[str]) -> None:
        """Each key once, with its mark: 0 for none, else the run's number."""
        ring = {one.key: index for index, one in enumerate(self.live.ring.ids, start=1)}
        self.out.count(len(keys))
        for key in keys:
            self.out.count(ring.get(key, 0))
            self.out.count(self.live.marks.get(key, 0))
        self.out.raw(pack_keys([key for key in keys if key not in ring]))

    def _listed(self, texts: list[str]) -> None:
        self.out.count(len(texts))
        for text in texts:
            self.out.blob(text.encode())

    def _digest(self, digest: Digest, places: dict[str, int], names: dict[str, int]) -> None:
        self.out.count(places[digest.key])
        self.out.integer(digest.event_ms)
        self.out.integer(digest.original_ms - digest.event_ms)
        self.out.count(names[digest.name])
        if digest.currency is None or digest.revenue_minor is None:
            self.out.count(0)
            return
        self.out.count(1 + names[digest.currency])
        self.out.integer(digest.revenue_minor)
        self.out.blob(digest.order_id.encode())

    def _moments(self, places: dict[str, int]) -> None:
        for moment in (self.live.first, self.live.last):
            self.out.count(0 if moment is None else 1 + places[moment.key])
            if moment is not None:
                self.out.integer(moment.event_ms)

    def _registers(self, places: dict[str, int]) -> None:
        """Registers of one message lie together behind what they share."""
        stamps: dict[tuple[int, int, int], list[tuple[str, Register]]] = {}
        for name, register in sorted(self.live.traits.items()):
            stamp = (places[register.key], register.event_ms, register.assurance)
            stamps.setdefault(stamp, []).append((name, register))
        self.out.count(len(stamps))
        for (place, event_ms, assurance), registers in stamps.items():
            self.out.count(place)
            self.out.integer(event_ms)
            self.out.count(assurance)
            self.out.count(len(registers))
            for name, register in registers:
                self.out.blob(name.encode())
                self.out.blob(orjson.dumps(register.value))

    def _measures(self) -> None:
        """What digests tell of measures; nothing at all where no rule is live."""
        plans = sorted({digest.plan for digest in self.live.tail} - {0})
        if not plans:
            return
        self.out.count(len(plans))
        for plan in plans:
            self.out.count(plan)
        for digest in self.live.tail:
            self.out.count(plans.index(digest.plan) + 1 if digest.plan else 0)
            self.out.count(len(digest.told))
            for place, currency, state in digest.told:
                self.out.count(place)
                self.out.blob(currency.encode())
                is_one = type(state) is int and state == 1
                self.out.blob(b"" if is_one else orjson.dumps(state))


def _texts(tail: Iterable[Digest]) -> Iterable[str]:
    for digest in tail:
        yield digest.name
        if digest.currency is not None:
            yield digest.currency


class _Unpacking:
    """Reads what `_Packing` wrote."""

    def __init__(self, read: Reader, ring: tuple[ShortId, ...]) -> None:
        self.read, self.ring = read, ring

    def parts(self) -> dict[str, Any]:
        keys, marks = self._keys()
        texts = [self.read.blob().decode() for _ in range(self.read.count())]
        tail = tuple(self._digest(keys, texts) for _ in range(self.read.count()))
        rest = {
            "marks": marks,
            "first": self._moment(keys),
            "last": self._moment(keys),
            "traits": self._registers(keys),
        }
        return {**rest, "tail": self._measured(tail)}

    def _measured(self, tail: tuple[Digest, ...]) -> tuple[Digest, ...]:
        """The digests with what they tell of measures, if anything follows."""
        if self.read.place == len(self.read.text):
            return tail
        plans = [0, *(self.read.count() for _ in range(self.read.count()))]
        return tuple(
            replace(digest, plan=plans[self.read.count()], told=self._told()) for digest in tail
        )

    def _told(self) -> tuple[tuple[int, str, Any], ...]:
        return tuple(self._measure() for _ in range(self.read.count()))

    def _measure(self) -> tuple[int, str, Any]:
        place, currency = self.read.count(), self.read.blob().decode()
        state = self.read.blob()
        return place, currency, orjson.loads(state) if state else 1

    def _keys(self) -> tuple[list[str], dict[str, int]]:
        told = [(self.read.count(), self.read.count()) for _ in range(self.read.count())]
        outside = sum(1 for index, _ in told if index == 0)
        rest = iter(unpack_keys(self.read.raw(outside * KEY_BYTES)))
        keys = [self.ring[index - 1].key if index else next(rest) for index, _ in told]
        return keys, {key: run for key, (_, run) in zip(keys, told, strict=True) if run}

    def _digest(self, keys: list[str], texts: list[str]) -> Digest:
        key, event_ms = keys[self.read.count()], self.read.integer()
        original_ms, name = event_ms + self.read.integer(), texts[self.read.count()]
        currency = self.read.count()
        if not currency:
            return Digest(key, original_ms, event_ms, name)
        revenue, order_id = self.read.integer(), self.read.blob().decode()
        return Digest(key, original_ms, event_ms, name, texts[currency - 1], revenue, order_id)

    def _moment(self, keys: list[str]) -> Moment | None:
        place = self.read.count()
        return Moment(self.read.integer(), keys[place - 1]) if place else None

    def _registers(self, keys: list[str]) -> dict[str, Register]:
        traits: dict[str, Register] = {}
        for _ in range(self.read.count()):
            key, event_ms = keys[self.read.count()], self.read.integer()
            assurance = Assurance(self.read.count())
            for _ in range(self.read.count()):
                name, value = self.read.blob().decode(), orjson.loads(self.read.blob())
                traits[name] = Register(value, assurance, event_ms, key)
        return traits
