"""A seal has the keys of what it stands for, tells nothing of it, and nobody else can make one."""

from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.keys import SEALED_POSITIONS, Keyring

KEYRING, FOREIGN = Keyring(1, b"a secret"), Keyring(1, b"another secret")
TEXTS = st.text(max_size=40) | st.just("sealed:") | st.builds("sealed:{}".format, st.text())


@given(TEXTS, TEXTS)
def test_a_seal_has_the_keys_and_the_persons_of_what_it_stands_for(source: str, text: str) -> None:
    sealed = KEYRING.sealed_message(source, text)
    assert KEYRING.message_key(source, sealed) == KEYRING.message_key(source, text)
    for n in range(SEALED_POSITIONS):
        assert KEYRING.person_id(source, sealed, n) == KEYRING.person_id(source, text, n)
    value = KEYRING.sealed_value("email", text)
    assert KEYRING.identifier_key("email", value) == KEYRING.identifier_key("email", text)
    assert len(text) < 3 or (text not in value.removeprefix("sealed:") and text not in sealed[7:])


@given(TEXTS)
def test_a_seal_made_elsewhere_or_for_elsewhere_is_a_text_like_any_other(text: str) -> None:
    assert not KEYRING.is_sealed("email", text)
    assert not KEYRING.is_sealed("email", FOREIGN.sealed_value("email", text))
    assert not KEYRING.is_sealed("user_id", KEYRING.sealed_value("email", text))
    foreign = FOREIGN.sealed_message("web", text)
    assert KEYRING.message_key("web", foreign) != FOREIGN.message_key("web", text)
    here = KEYRING.sealed_message("web", text)
    assert KEYRING.message_key("shop", here) != KEYRING.message_key("web", text)


def test_a_seal_of_a_seal_is_the_same_seal() -> None:
    sealed = KEYRING.sealed_value("email", "ada@example.com")
    assert KEYRING.sealed_value("email", sealed) == sealed
    told = KEYRING.sealed_message("web", "order 7")
    assert KEYRING.sealed_message("web", told) == told
