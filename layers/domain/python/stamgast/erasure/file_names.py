"""Names of dropped files that spell an identifier: what does gives way to a mark."""

import re
from collections.abc import Callable, Collection, Iterator

from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import SHORT, Needles
from stamgast.identity.keys import Keyring

MARK, SIGNS = "erased-", 16
MARKED = re.compile(rf"{MARK}[0-9a-z]{{{SIGNS}}}")
WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 12
"""The most words of a name that an identifier is put together from."""
FOLDER = 2
"""How many parts of a key come before the name: the drop zone, and the folder of the source."""


def is_renamed(key: str) -> bool:
    """Whether an erasure has given a file its name."""
    return MARKED.search(key) is not None


def renamed(key: str, needles: Needles, keyring: Keyring) -> str:
    """The key without what tells of the persons, the same each time; else the key as it is."""
    if not needles.is_name(key):
        return key
    told = key.encode()
    for begin, end in reversed(needles.name_spans(told)):
        told = told[:begin] + _mark(key, keyring).encode() + told[end:]
    left = told.decode("utf-8", "replace")
    return left if not needles.is_name(left) else _nameless(key, keyring)


def renamed_by_keys(
    key: str, standing: Callable[[Collection[str]], Collection[str]], naming: Naming
) -> str:
    """The same by keys alone, whose values nobody knows: those of them that are erased."""
    spelled = {text: naming.keys_of(text) for text in set(_texts(key))}
    erased = set(standing(set().union(*spelled.values()))) if spelled else set()
    told = [text for text, keys in spelled.items() if not keys.isdisjoint(erased)]
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
    ending = re.search(r"(\.[A-Za-z]{2,8}){0,2}$", key)
    return f"{folder}/{_mark(key, keyring)}{ending[0] if ending else ''}"
