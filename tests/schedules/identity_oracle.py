"""What the persons of a set of messages must be: naive on purpose, and written apart."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

PRIORITY = {"u": 0, "e": 1, "d": 2}
SERVES = {"u": 2, "e": 2, "d": 1}
NAMING = "ue"
PERSON, USERS, MERGES = 6, 2, 3
VERIFIED = 2

Pair: TypeAlias = tuple[str, str]
Strength: TypeAlias = tuple[int, int, int, str, int]
Founding: TypeAlias = tuple[int, str, int]


@dataclass(frozen=True, order=True)
class Message:
    """A message that names identifiers in the order of (priority, key); `is_cut` joins nothing."""

    mid: str
    received: int
    at: int
    assurance: int
    ids: tuple[str, ...]
    is_cut: bool = False


@dataclass(frozen=True)
class Known:
    """What is known of identifiers apart from messages: live items that a correction reads."""

    edges: Mapping[Pair, Strength]
    near: Mapping[str, Collection[str]]
    vouched: Mapping[str, Collection[str]]
    born: Mapping[str, Founding]
    assurance: Mapping[str, int]


NOTHING = Known({}, {}, {}, {}, {})


@dataclass(frozen=True)
class Persons:
    """Each person's identifiers with its founding, trust groups, and the values that are off."""

    parts: Mapping[frozenset[str], Founding]
    groups: Mapping[str, str]
    off: Mapping[str, int]


def edges_of(message: Message) -> Iterable[tuple[Pair, Strength]]:
    """The edges that a message supports, each with its strength."""
    if message.is_cut:
        return
    for n, other in enumerate(message.ids):
        if n:
            weakness = VERIFIED - message.assurance
            strength = (weakness, PRIORITY[other[0]], message.at, message.mid, n)
            yield (message.ids[0], other), strength


def founding(message: Message, key: str) -> Founding:
    """When this message founds that identifier."""
    return message.received, message.mid, message.ids.index(key)


def expected(
    messages: Iterable[Message],
    cuts: Iterable[Pair] = (),
    known: Known = NOTHING,
    only: Collection[str] | None = None,
) -> Persons:
    """The persons as a pure function of the evidence."""
    messages = list(messages)
    best = dict(known.edges)
    born, word = dict(known.born), dict(known.assurance)
    for message in messages:
        for pair, strength in edges_of(message):
            best[pair] = min(strength, best.get(pair, strength))
        for key in message.ids:
            born[key] = min(founding(message, key), born.get(key, founding(message, key)))
            word[key] = max(message.assurance, word.get(key, 0))
    off = off_levels(best, known)
    groups = [{key} for key in sorted(only if only is not None else born)]
    for (a, b), strength in sorted(best.items(), key=lambda item: (item[1], item[0])):
        mine = [group for group in groups if a in group or b in group]
        inside = only is None or {a, b} <= set(only)
        if is_off((a, b), strength, off) or len(mine) != 2 or not inside:
            continue
        both = mine[0] | mine[1]
        is_known = [
            any(word[key] == VERIFIED and key[0] in NAMING for key in group) for group in mine
        ]
        if is_too_large(both, strength) or any(set(cut) <= both for cut in cuts):
            continue
        if strength[0] and all(is_known):
            continue
        groups = [group for group in groups if group not in mine] + [both]
    return Persons(
        {frozenset(group): min(born[key] for key in group) for group in groups},
        _trusted(groups, best, off),
        off,
    )


def off_levels(best: Mapping[Pair, Strength], known: Known) -> dict[str, int]:
    """2 for values that verified evidence shares among too many persons, 1 for those that all does.

    A value serves as many persons as it has neighbours of one naming namespace.
    """
    near = {key: set(others) for key, others in known.near.items()}
    vouched = {key: set(others) for key, others in known.vouched.items()}
    for (a, b), strength in best.items():
        for key, other in ((a, b), (b, a)):
            near.setdefault(key, set()).add(other)
            if strength[0] == 0:
                vouched.setdefault(key, set()).add(other)
    levels = {}
    for level, met in ((1, near), (2, vouched)):
        for key, others in met.items():
            if any(sum(o[0] == kind for o in others) > SERVES[key[0]] for kind in NAMING):
                levels[key] = level
    return levels


def is_too_large(person: Collection[str], strength: Strength) -> bool:
    """Whether a person is over a limit, of which claims fill at most half."""
    part = 1 if strength[0] == 0 else 2
    users, named = (sum(key[0] in kinds for key in person) for kinds in ("u", NAMING))
    return any(
        size > (limit + part - 1) // part
        for size, limit in ((len(person), PERSON), (users, USERS), (named - 1, MERGES))
    )


def is_off(pair: Pair, strength: Strength, off: Mapping[str, int]) -> bool:
    """Whether an end of this edge is off: wholly, or to claims if it is one."""
    least = 2 if strength[0] == 0 else 1
    return any(off.get(key, 0) >= least for key in pair)


def _trusted(
    groups: Iterable[set[str]], best: Mapping[Pair, Strength], off: Mapping[str, int]
) -> dict[str, str]:
    label = {key: key for group in groups for key in group}
    part = {key: n for n, group in enumerate(groups) for key in group}
    changed = True
    while changed:
        changed = False
        for (a, b), strength in best.items():
            if strength[0] or is_off((a, b), strength, off) or a not in part or b not in part:
                continue
            if part[a] == part[b] and label[a] != label[b]:
                label[a] = label[b] = min(label[a], label[b])
                changed = True
    return label


def canonical(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """The copies that count, and those that lost: of two payloads the first received stays."""
    first: dict[str, Message] = {}
    told = sorted(messages, key=lambda m: (m.received, m.ids, m.at))
    for message in told:
        first.setdefault(message.mid, message)
    kept = [m for m in told if (m.ids, m.at) == (first[m.mid].ids, first[m.mid].at)]
    return kept, [m for m in told if m not in kept]


def components(messages: Iterable[Message]) -> list[frozenset[str]]:
    """The sets of identifiers that messages connect through values that are not off."""
    messages = list(messages)
    best: dict[Pair, Strength] = {}
    for message in messages:
        for pair, strength in edges_of(message):
            best[pair] = min(strength, best.get(pair, strength))
    off = off_levels(best, NOTHING)
    groups = [{key} for key in sorted({key for m in messages for key in m.ids})]
    for (a, b), strength in sorted(best.items()):
        if not is_off((a, b), strength, off):
            mine = [group for group in groups if a in group or b in group]
            groups = [group for group in groups if group not in mine] + [set().union(*mine)]
    return [frozenset(group) for group in groups]
