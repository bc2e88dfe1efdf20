"""What is missing of a funnel: the step that did not happen, or that came too late."""

from dataclasses import replace
from typing import TypeAlias

from stamgast.moments import iso_of
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import rendered
from stamgast.segments.language.tree import (
    Aggregate,
    Did,
    DidNotSince,
    Field,
    Function,
    Lifetime,
    Node,
    Type,
    Window,
)
from stamgast.segments.language.view import View

AT = Field(("event_at",), Type.MOMENT)
Latest: TypeAlias = list[tuple[str, str | None]]


def latest_of_steps(node: Did | DidNotSince, view: View) -> Latest:
    """When each step's condition was last true of an event within its window; None for never."""
    if isinstance(node, DidNotSince):
        windows: list[tuple[Node, Window]] = [(node.did, node.window), (node.lacking, Lifetime())]
    else:
        windows = [(step, node.window) for step in node.steps]
    return [(f"latest {rendered(step)}", _latest(step, window, view)) for step, window in windows]


def _latest(step: Node, window: Window, view: View) -> str | None:
    ms = reader_of(Aggregate(Function.MAX, AT, step, window))(view)
    return None if ms is None else iso_of(ms)


def missing_step(node: Did | DidNotSince, wanted: bool, view: View) -> str:
    """What would have to happen, or not to have happened."""
    if isinstance(node, DidNotSince):
        return _not_since(node, wanted, view)
    if not wanted:
        return f"`{rendered(node)}` would have to lie outside its window"
    return _first_missing(node, view)


def _first_missing(node: Did, view: View) -> str:
    for number in range(1, len(node.steps) + 1):
        so_far = replace(node, steps=node.steps[:number], within_ms=None)
        if reader_of(so_far)(view) is True:
            continue
        step = rendered(node.steps[number - 1])
        if number == 1:
            return f"`{step}` would have to happen{_where(node)}"
        return f"step {number}, `{step}`, would have to follow step {number - 1}{_where(node)}"
    return f"the steps happened, but would have to follow within the time: `{rendered(node)}`"


def _not_since(node: DidNotSince, wanted: bool, view: View) -> str:
    lacking = rendered(node.lacking)
    if not wanted:
        return f"`{lacking}` would have to happen later than the latest `{rendered(node.did)}`"
    if reader_of(Did((node.did,), None, node.window))(view) is not True:
        return f"`{rendered(node.did)}` would have to happen{_where(node)}"
    return f"`{rendered(node.did)}` would have to happen again: `{lacking}` came later"


def _where(node: Did | DidNotSince) -> str:
    return "" if isinstance(node.window, Lifetime) else " within its window"
