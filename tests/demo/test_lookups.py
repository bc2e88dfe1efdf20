"""A machine that is too busy to answer is asked again; anything else that fails is told."""

import httpx
import pytest

from stamgast_cli.demo.lookups import TRIES, Readers

SEEN = "2026-01-01T00:00:00.000Z"
NAMED = "user_id:u1"


def readers(*statuses: int) -> Readers:
    """A look-up API that answers with these statuses, one after the other."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        found = {"identifier": NAMED, "status": 200, "profile": {"last_seen_at": SEEN}}
        return httpx.Response(left.pop(0), json={"results": [found]})

    return Readers(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://gateway"))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


def test_a_gateway_that_gives_up_is_asked_again() -> None:
    assert readers(502, 504, 200).wait_until({NAMED: SEEN}, seconds=60) == set()


@pytest.mark.parametrize("statuses", [(403, 200), (502,) * TRIES])
def test_a_refused_token_is_told_at_once_and_an_end_is_put_to_asking(
    statuses: tuple[int, ...],
) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        readers(*statuses).wait_until({NAMED: SEEN}, seconds=60)
