"""The restore drill: empty the view `profiles`, rebuild it from the lake, compare and time it.

Run it as `python scripts/restore_drill.py` on this machine, or with `--stack NAME` and
`--empties-the-view` on a deployment that is thrown away; send no events meanwhile.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from stamgast_cli.commands.running import follow, start
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.output import Output

Items = dict[tuple[str, str], dict[str, Any]]


def persons(items: Items) -> dict[str, str]:
    """Return the person of each identifier, as the pointers name them."""
    return {pk: item["person"]["S"] for (pk, sk), item in items.items() if _is_pointer(pk, sk)}


def edges(items: Items) -> dict[tuple[str, str], str]:
    """Return the state of each edge at its anchor: active, refused or cut."""
    return {key: item["state"]["S"] for key, item in items.items() if key[1].startswith("E#")}


def counts(items: Items) -> dict[str, int]:
    """Return how many pointers, anchors, bases, timeline items and roots there are."""
    kinds = [_kind(pk, sk) for pk, sk in items]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def read_all(client: Any, table: str) -> Items:
    """Return every item of the view by its keys."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {(item["PK"]["S"], item["SK"]["S"]): item for page in pages for item in page["Items"]}


def empty(client: Any, table: str, items: Items) -> None:
    """Delete every item of the view."""
    for pk, sk in items:
        client.delete_item(TableName=table, Key={"PK": {"S": pk}, "SK": {"S": sk}})


def drill(deployment: Deployment, output: Output) -> dict[str, Any]:
    """Return what the view held before and after, and the seconds of each step."""
    client, table = deployment.client("dynamodb"), deployment.output("ProfilesTable")
    seconds: dict[str, float] = {}
    _timed(seconds, "settle", lambda: follow(deployment, start(deployment), output))
    before = read_all(client, table)
    _timed(seconds, "empty", lambda: empty(client, table, before))
    _timed(
        seconds,
        "rebuild",
        lambda: follow(deployment, start(deployment, everything=True), output),
    )
    after = read_all(client, table)
    return {
        "before": counts(before),
        "after": counts(after),
        "is_every_identifier_with_its_person": persons(before) == persons(after),
        "is_every_edge_in_its_state": edges(before) == edges(after),
        "seconds": seconds,
    }


def _timed(seconds: dict[str, float], step: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    seconds[step] = round(time.monotonic() - began, 1)


def _is_pointer(pk: str, sk: str) -> bool:
    return pk.startswith("I#") and sk == "@"


def _kind(pk: str, sk: str) -> str:
    names = {"@": "pointers" if pk.startswith("I#") else "roots", "L": "live", "B": "bases"}
    return names.get(sk) or {"X": "timeline", "E": "edges"}.get(sk[:1], "rows of persons")


def main() -> None:
    """Run the drill and leave with 1 unless every identifier and every edge is as it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack")
    parser.add_argument("--empties-the-view", action="store_true")
    options = parser.parse_args()
    if options.stack not in (None, "local") and not options.empties_the_view:
        parser.error("this empties the table `profiles` of the stack: say --empties-the-view")
    told = drill(find(options.stack), Output())
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    is_restored = told["is_every_identifier_with_its_person"] and told["is_every_edge_in_its_state"]
    raise SystemExit(not is_restored)


if __name__ == "__main__":
    main()
