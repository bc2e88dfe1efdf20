"""A certificate accounts for what it counts: whatever remains stands under its store."""

from typing import Any

import pytest

from stamgast.erasure import certificate
from stamgast.erasure.certificate import certificate_of

REMAINING = {"I#/X": 1, "imports/": 3, "nobody knows this/": 2, "athena/": 0}


def made() -> dict[str, Any]:
    return certificate_of(
        request_id="r",
        until_ms=1,
        unreachable_ms=2,
        proven_ms=3,
        removed={"imports/": 4},
        remaining=REMAINING,
        searched={"imports/": 99},
    )


def unaccounted(told: dict[str, Any]) -> int:
    """How much remains that no store of the certificate names."""
    named: int = sum(store["remaining"] for store in told["stores"])
    return told["remaining"] - named


@pytest.mark.failure_line(36)
def test_whatever_remains_stands_under_its_store() -> None:
    """Line 36: also in a store in which nothing had been found before."""
    told = made()
    assert unaccounted(told) == 0
    assert "I#/X" not in told["without_findings"]
    assert "athena/" in told["without_findings"]


def test_a_certificate_that_lists_where_something_was_removed_alone_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certificate, "is_told", lambda store: store["found"] or store["searched"])
    assert unaccounted(made()) == 3
