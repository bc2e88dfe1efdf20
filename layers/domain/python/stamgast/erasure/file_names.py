"""Names of dropped files that spell an identifier: what does gives way to a mark."""

import re
from collections.abc import Callable, Collection, Iterator

from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import SHORT, Needles
from stamgast.identity.keys import Keyring

MARK, SIGNS = "erased-", 16
MARKED = re.compile(rf"{MARK}[0-9a-z]{{{SIGNS}}}")
WORD = re.compile(r"[^\W_]+")
ENDING = re.compile(r"(\.(csv|ndjson|jsonl|json|parquet|txt|tsv|gz))*$", re.IGNORECASE)
MOST_WORDS = 12
"""The most words of a name that an identifier is put together from."""
FOLDER = 2
"""How many parts of a key come before the name: the drop zone, and the folder of the source."""


def is_renamed(key: str) -> bool:
    """Whether an erasure has given a file its name."""
    return MARKED.search(key) is not None


Fits = Callable[[str], bool]
"""Whether a file may have this key: one that no run has taken in keeps its mapping."""


def fits_always(_key: str) -> bool:
    """What has been taken in needs no mapping any more."""
    return True


def renamed(key: str, needles: Needles, keyring: Keyring, fits: Fits = fits_always) -> str:
    """The key without what tells of the persons, the same each time; else the key as it is.

    What a folder is named after a person for goes as a whole path, else each part that tells, for
    beside an address stands a name; where it would not fit then, what spells the identifier alone.
    """
    if not needles.is_name(key):
        return key
    for whole in _wholes(key, needles.is_name, keyring):
        if fits(whole) and not needles.is_name(whole):
            return whole
    told = key.encode()
    for begin, end in reversed(needles.name_spans(told)):
        told = told[:begin] + _mark(key, keyring).encode() + told[end:]
    left = told.decode("utf-8", "replace")
    return left if not needles.is_name(left) else _nameless(key, keyring)


def renamed_by_keys(
    key: str,
    standing: Callable[[Collection[str]], Collection[str]],
    naming: Naming,
    fits: Fits = fits_always,
) -> str:
    """The same by keys alone, whose values nobody knows: those of them that are erased."""
    spelled = {text: naming.keys_of(text) for text in set(_texts(key))}
    erased = set(standing(set().union(*spelled.values()))) if spelled else set()
    told = [text for text, keys in spelled.items() if not keys.isdisjoint(erased)]
    for whole in _wholes(key, lambda part: any(text in part for text in told), naming.keyring):
        if fits(whole):
            return whole
    left = key
    for text in sorted(told, key=len, reverse=True):
        left = left.replace(text, _mark(key, naming.keyring))
    return left


def _texts(key: str) -> Iterator[str]:
    """Every run of words in a part of the name, with what stands between them."""
    for part in key.split("/")[1:]:
        words = [found.span() for found in WORD.finditer(part)]
        for first, (begin, _) in enumerate(words):
            begin -= part[:begin].endswith("+")
            for _, end in words[first : first + MOST_WORDS]:
                if end - begin >= SHORT:
                    yield part[begin:end]


def _mark(key: str, keyring: Keyring) -> str:
    """Tells files apart, and nothing of their names."""
    return MARK + keyring.identifier_key("file", key).rpartition(":")[2][-SIGNS:]


def _nameless(key: str, keyring: Keyring) -> str:
    """The key with a mark for its whole name, of which the ending alone is left."""
    folder = "/".join(key.split("/")[:FOLDER])
    return f"{folder}/{_mark(key, keyring)}{_ending(key)}"


def _wholes(key: str, is_told: Callable[[str], bool], keyring: Keyring) -> Iterator[str]:
    """What may take the key's place, best first: a folder that tells has others that do around."""
    if any(is_told(folder) for folder in key.split("/")[FOLDER:-1]):
        yield _nameless(key, keyring)
    yield _without_parts(key, is_told, keyring)


def _without_parts(key: str, is_told: Callable[[str], bool], keyring: Keyring) -> str:
    """The key with a mark for each folder, and for the name but its ending, that tells."""
    *folders, name = key.split("/")[FOLDER:]
    mark = _mark(key, keyring)
    parts = [mark if is_told(one) else one for one in folders]
    parts.append(f"{mark}{_ending(name)}" if is_told(name) else name)
    return "/".join((*key.split("/")[:FOLDER], *parts))


def _ending(name: str) -> str:
    found = ENDING.search(name)
    return found[0] if found else ""
