"""How much of the judging of a model is done, told to whoever follows it in this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Passed: TypeAlias = Callable[[str, int, int], None]
"""Told what is worked at, how much of it is done, and how much there is."""
_FOLLOWER: ContextVar[Passed | None] = ContextVar("follower", default=None)


@contextmanager
def followed(by: Passed | None) -> Iterator[None]:
    """Within it, steps are told."""
    token = _FOLLOWER.set(by)
    try:
        yield
    finally:
        _FOLLOWER.reset(token)


def counted(what: str, steps: Sequence[T]) -> Iterator[T]:
    """The steps one after another, each told once it is done."""
    follower = _FOLLOWER.get()
    for place, one in enumerate(steps, 1):
        yield one
        if follower is not None:
            follower(what, place, len(steps))
