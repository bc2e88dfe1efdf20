"""The graph of a person's evidence as a picture: a tree that grows outwards from the founder."""

from collections import defaultdict
from html import escape
from math import cos, pi, sin

from stamgast_cli.explain.words import Json, name_of, support_of

RING, MARGIN, LEAST_LEAVES = 150, 110, 3
COLOURS = {"persistent": "#2f8f6b", "linked": "#2f5d8a", "ephemeral": "#e08a1e"}
Place = tuple[float, float]


def picture_of(answer: Json) -> str:
    """An SVG element: identifiers, edges, what was refused, and what is only believed."""
    members = {one["key"]: one for one in answer["identifiers"]}
    places = placed(answer)
    beyond = _beyond(answer, places)
    shown = places | beyond
    xs, ys = zip(*shown.values(), strict=True)
    left, top = min(xs) - MARGIN, min(ys) - MARGIN / 2
    width, height = max(xs) + MARGIN - left, max(ys) + MARGIN / 2 - top
    corner = f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}"
    parts = [
        *(_line(edge, shown, _kind_of(edge, answer)) for edge in answer["evidence"]),
        *(_line(edge, shown, "refused") for edge in answer["refused"]),
        *(_line(edge, shown, "believed") for edge in answer["provisional"]),
        *(_dot(members[key], place) for key, place in places.items()),
        *(_ghost(place) for place in beyond.values()),
    ]
    return f'<svg class="graph" viewBox="{corner}" role="img">{"".join(parts)}</svg>'


def placed(answer: Json) -> dict[str, Place]:
    """Where each identifier stands: its ring is its distance from the founder in the tree."""
    members = sorted(answer["identifiers"], key=lambda one: (not one["is_founder"], one["key"]))
    near: defaultdict[str, list[str]] = defaultdict(list)
    for edge in (one for one in answer["evidence"] if one["in_tree"]):
        near[edge["a"]["key"]].append(edge["b"]["key"])
        near[edge["b"]["key"]].append(edge["a"]["key"])
    order, depth, above = _walked([one["key"] for one in members], near)
    leaves = [key for key in order if not any(above.get(other) == key for other in near[key])]
    angles = {key: 2 * pi * n / max(len(leaves), LEAST_LEAVES) for n, key in enumerate(leaves)}
    for key in reversed(order):
        below = [angles[other] for other in near[key] if above.get(other) == key]
        if below:
            angles[key] = sum(below) / len(below)
    return {
        key: (RING * depth[key] * cos(angles[key]), RING * depth[key] * sin(angles[key]))
        for key in order
    }


def _walked(
    keys: list[str], near: dict[str, list[str]]
) -> tuple[list[str], dict[str, int], dict[str, str]]:
    """The identifiers with each above those that hang on it, their depths, and who is above."""
    order: list[str] = []
    depth: dict[str, int] = {}
    above: dict[str, str] = {}
    for start in keys:
        waiting = [] if start in depth else [start]
        depth.setdefault(start, 0 if not order else 1)
        while waiting:
            key = waiting.pop()
            order.append(key)
            for other in sorted(near[key], reverse=True):
                if other not in depth:
                    depth[other], above[other] = depth[key] + 1, key
                    waiting.append(other)
    return order, depth, above


def _beyond(answer: Json, places: dict[str, Place]) -> dict[str, Place]:
    """A place outside for each identifier of others that evidence leads to."""
    found: dict[str, Place] = {}
    for edge in (*answer["refused"], *answer["provisional"]):
        ends = [edge["a"]["key"], edge["b"]["key"]]
        inside = next((key for key in ends if key in places), None)
        outside = next((key for key in ends if key not in places), None)
        if inside and outside and outside not in found:
            x, y = places[inside]
            turn = 0.6 + len(found)
            found[outside] = (x * 1.2 + RING * 0.7 * cos(turn), y * 1.2 + RING * 0.7 * sin(turn))
    return found


def _kind_of(edge: Json, answer: Json) -> str:
    weakest = answer["weakest"]
    if weakest and (edge["a"], edge["b"]) == (weakest["a"], weakest["b"]):
        return "weakest"
    return "bridge" if edge["is_bridge"] else "tree" if edge["in_tree"] else "spare"


def _line(edge: Json, places: dict[str, Place], kind: str) -> str:
    start, end = places.get(edge["a"]["key"]), places.get(edge["b"]["key"])
    if start is None or end is None:
        return ""
    told = escape(_said(edge))
    ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line class="{kind}" {ends}><title>{told}</title></line>'


def _said(edge: Json) -> str:
    if "probability" in edge:
        return f"{edge['probability']:.3f} {edge['rule']}"
    return support_of(edge) + (f"; {edge['reason']}" if "reason" in edge else "")


def _dot(one: Json, place: Place) -> str:
    x, y = place
    colour = COLOURS[one["kind"]]
    fill = "white" if one["is_off"] else colour
    radius = 13 if one["is_founder"] else 9
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}"/>'
        f'<text x="{x:.1f}" y="{y + 26:.1f}">{escape(name_of(one))}</text>'
    )


def _ghost(place: Place) -> str:
    return f'<circle class="ghost" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="7"/>'
