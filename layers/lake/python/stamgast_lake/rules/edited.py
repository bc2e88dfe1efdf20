"""Which rules are new, or others than the run before asked: by a document that each run leaves."""

from collections.abc import Sequence

import orjson
from botocore.exceptions import ClientError

from stamgast.segments.language.rules import Rule
from stamgast_lake.lake import Lake

LATEST, ASKED = "latest", "rules.json"


def asked(lake: Lake) -> dict[str, str] | None:
    """The versions of the rules that the newest run asked, by segment; None if no run told."""
    try:
        told: dict[str, str] = orjson.loads(lake.document(LATEST, ASKED))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return told


def edited(lake: Lake, rules: Sequence[Rule]) -> frozenset[str] | None:
    """The names of such rules; None where no run has left word of what it asked."""
    before = asked(lake)
    if before is None:
        return None
    return frozenset(rule.name for rule in rules if before.get(rule.name) != rule.version)


def keep_asked(lake: Lake, rules: Sequence[Rule]) -> None:
    """Leaves word of what this run asked, once its changes are logged."""
    told = {rule.name: rule.version for rule in rules}
    lake.put_document(LATEST, ASKED, orjson.dumps(told))
