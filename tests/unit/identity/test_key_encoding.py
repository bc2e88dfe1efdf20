"""The fast base32 of keys against the standard library's."""

from base64 import b32encode

from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.keys import Keyring, _base32


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_the_standard_base32_of_its_hash(told: bytes) -> None:
    assert _base32(told) == b32encode(told).decode()[:25].lower()


def test_a_key_names_its_version_and_has_26_characters() -> None:
    assert len(Keyring(1, b"s").message_key("web", "m1")) == 26
    assert Keyring(2, b"s").message_key("web", "m1")[0] == "2"
