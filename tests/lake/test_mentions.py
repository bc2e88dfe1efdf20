"""The byte scan and the redaction of texts know the same mentions."""

from base64 import b64encode
from collections.abc import Callable
from gzip import compress
from io import BytesIO
from json import dumps, loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.erasure.boundaries import NEAR
from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast.identity.settings import IdentitySettings
from stamgast_lake.erasure.redaction import Redaction
from stamgast_lake.erasure.scan import blocks_tell, tells_of, with_records
from tests.lake.world import KEYRING

ADA, NUMBER = "ada@example.com", "10000001"
SUBJECT = Subject("r", 0, frozenset(), {"email:x": ADA, "user_id:x": NUMBER})
NEEDLES = needles_of([SUBJECT])
REDACTION = Redaction((SUBJECT,), IdentitySettings(()), KEYRING)
TEXTS = {
    "a 10000001 b": True,
    r"to \u003cada\u0040example.com\u003e": True,
    "?u%3Dada%40example.com%26": True,
    "ada@example.com.": True,
    "a 100000012 b": False,
    "a 10000001-2 b": False,
    "nada@example.com": False,
    "ada@example.com.au": False,
    "ada%40example.com%2Eau": False,
}


@pytest.mark.parametrize(("text", "is_told"), TEXTS.items())
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_border_of_two_blocks_neither_hides_nor_makes_a_mention(
    text: str, is_told: bool, size: int
) -> None:
    for padding in (0, 5, 3 * NEAR):
        told = (". " * padding + text + " ." * padding).encode()
        blocks = [told[at : at + size] for at in range(0, len(told), size)]
        assert blocks_tell(iter(blocks), NEEDLES) == is_told
        assert tells_of(BytesIO(told), NEEDLES) == is_told
    for cut in range(1, len(text)):
        blocks = [("- " * 99 + text[:cut]).encode(), (text[cut:] + " -" * 99).encode()]
        assert blocks_tell(iter(blocks), NEEDLES) == is_told


def by_whole_blocks(blocks: list[bytes]) -> bool:
    """A scan that takes the end of a block for the end of the text."""
    return any(NEEDLES.found_in(block) for block in blocks)


def test_a_scan_that_forgets_the_neighbours_in_the_next_block_is_found() -> None:
    blocks = [b"a 10000001", b"2 b"]
    assert by_whole_blocks(blocks)
    assert not blocks_tell(iter(blocks), NEEDLES)


WORDS = st.sampled_from(
    ["ada@example.com", "10000001", "100000012", "hada@example.com", "ada@example.com.au", "é", "x"]
)
GLUE = st.sampled_from([" ", ", ", ". ", "\n", '"', "\\", "/", "?u=", "<"])


@given(st.lists(st.tuples(WORDS, GLUE), max_size=8))
def test_a_redaction_takes_all_mentions_and_nothing_of_others(
    parts: list[tuple[str, str]],
) -> None:
    text = "".join(word + glue for word, glue in parts)
    for had in (dumps({"a": text}), dumps({"body": dumps({"a": text})})):
        left = REDACTION.of_text(had)
        assert not NEEDLES.found_in(left.encode())
        loads(left)
        for other in ("100000012", "hada@example.com", "ada@example.com.au"):
            assert left.count(other) == had.count(other)


def test_half_an_escape_never_stays() -> None:
    umlaut = Redaction(
        (Subject("r", 0, frozenset(), {"email:x": "ärger@example.com"}),),
        IdentitySettings(()),
        KEYRING,
    )
    text = dumps({"body": dumps({"a": "ärger@example.com"})})
    assert loads(loads(umlaut.of_text(text))["body"]) == {"a": ""}


@pytest.mark.parametrize("pack", [bytes, compress])
@pytest.mark.parametrize("size", [7, 64, 10_000])
def test_what_a_stream_could_not_write_is_read_within_its_base64(
    pack: Callable[[bytes], bytes], size: int
) -> None:
    def line(text: str) -> bytes:
        told = b64encode(pack(text.encode())).decode()
        return dumps({"attemptsMade": 4, "rawData": told, "errorCode": "S3"}).encode() + b"\n"

    for who, is_told in (("ADA@Example.com", True), ("bob@example.com", False)):
        text = line("x" * 90) + line(f'{{"to": "{who}"}}') + line("y")
        blocks = (text[at : at + size] for at in range(0, len(text), size))
        assert blocks_tell(with_records(blocks), NEEDLES) == is_told
        assert tells_of(BytesIO(compress(text)), NEEDLES) == is_told
