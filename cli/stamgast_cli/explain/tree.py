"""An explanation as a tree in the terminal."""

from collections import defaultdict
from collections.abc import Iterable

from rich.markup import escape
from rich.tree import Tree

from stamgast_cli.explain.words import (
    Json,
    calibration_of,
    name_of,
    pair_of,
    persons_of,
    short,
    source_of,
    support_of,
    weakness_of,
)


def tree_of(answer: Json) -> Tree:
    """The whole explanation; branches without anything to tell are left out."""
    tree = Tree(f"[bold]person {answer['person_id']}[/]  [dim]{escape(source_of(answer))}[/]")
    if not answer["is_settled"]:
        tree.add("[yellow]all evidence together says otherwise: the next run changes this[/]")
    if not answer["is_whole_component"]:
        tree.add("[yellow]very much hangs together here: cuts are told within this person alone[/]")
    _add_evidence(tree, answer)
    weakest = answer["weakest"]
    if weakest:
        branch = tree.add(f"[bold]the weakest edge[/]: {weakness_of(weakest)}")
        branch.add(_edge(weakest))
    _add(tree, "what each cut would do, the weakest first", map(_effect, answer["cuts"]))
    _add(tree, "refused evidence", map(_refusal, answer["refused"]))
    _add(tree, "values that link nobody", map(_off, answer["off"]))
    _add(tree, "may not be joined", map(_cannot_link, answer["cannot_links"]))
    _add(tree, "believed, never joined by it alone", map(_provisional, answer["provisional"]))
    _add(tree, "pending", _pending(answer["pending"]))
    return tree


def _add(tree: Tree, title: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if told:
        branch = tree.add(f"[bold]{title}[/] ({len(told)})")
        for line in told:
            branch.add(line)


def _add_evidence(tree: Tree, answer: Json) -> None:
    """The spanning tree from the founder on; edges beyond it are counted."""
    near: defaultdict[str, list[tuple[str, Json]]] = defaultdict(list)
    for edge in (one for one in answer["evidence"] if one["in_tree"]):
        a, b = edge["a"]["key"], edge["b"]["key"]
        near[a].append((b, edge))
        near[b].append((a, edge))
    members = {one["key"]: one for one in answer["identifiers"]}
    more = len(answer["evidence"]) - len(members) + 1
    edges = len(answer["evidence"])
    title = f"[bold]held together by[/] {edges} {'edge' if edges == 1 else 'edges'}"
    title = f"{title}, {answer['bridges']} of them bridges, {max(more, 0)} to spare"
    branch = tree.add(title if answer["evidence"] else "[bold]one identifier, and no other[/]")
    seen: set[str] = set()
    for key in sorted(members, key=lambda one: (not members[one]["is_founder"], one)):
        if key not in seen:
            _grow(branch.add(_member(members[key])), key, near, members, seen)


def _grow(
    branch: Tree,
    start: str,
    near: dict[str, list[tuple[str, Json]]],
    members: dict[str, Json],
    seen: set[str],
) -> None:
    """Without recursion, for a person may be a chain of a thousand identifiers."""
    waiting = [(branch, start)]
    seen.add(start)
    while waiting:
        above, key = waiting.pop()
        for other, edge in near[key]:
            if other not in seen and other in members:
                seen.add(other)
                mark = "[red]═[/] " if edge["is_bridge"] else "─ "
                told = f"[dim]{mark}{escape(support_of(edge))}[/]"
                waiting.append((above.add(f"{_member(members[other])}  {told}"), other))


def _member(one: Json) -> str:
    marks = [one["assurance"]]
    marks += ["founder"] if one["is_founder"] else []
    marks += ["off"] if one["is_off"] else []
    return f"[cyan]{escape(name_of(one))}[/] [dim]{', '.join(marks)}[/]"


def _edge(edge: Json) -> str:
    return f"{escape(pair_of(edge))}  [dim]{escape(support_of(edge))}[/]"


def _effect(effect: Json) -> str:
    return f"{escape(pair_of(effect))}: {escape(persons_of(effect))}"


def _refusal(one: Json) -> str:
    other = f" → {short(one['other_person'])}" if one["other_person"] else ""
    why = f"[red]{one['reason']}[/]: {escape(one['because'])}"
    return f"{escape(pair_of(one))}{other}  [dim]{escape(support_of(one))}[/]  {why}"


def _off(one: Json) -> str:
    return f"{escape(name_of(one))}: serves more than {one['limit']}, blocks {one['blocks']}"


def _cannot_link(one: Json) -> str:
    who = f"{one['by'] or 'somebody'}, {one['recorded_at'] or 'at an unknown time'}"
    return f"{escape(pair_of(one))}  [dim]{escape(who)}: {escape(one['reason'] or 'no reason')}[/]"


def _provisional(one: Json) -> str:
    reasons = ", ".join(f"{name} {weight}" for name, weight in list(one["reasons"].items())[:6])
    until = (one["expires_at"] or "ever")[:10]
    told = f"{calibration_of(one)}, {one['state']}, {one['rule']}, until {until}: {reasons}"
    return f"{escape(pair_of(one))}  {one['probability']:.3f}  [dim]{escape(told)}[/]"


def _pending(pending: Json) -> list[str]:
    parked = [f"a parked message {short(message)}" for message in pending["parked"]]
    return parked + [f"the job {escape(job)}" for job in pending["jobs"]]
