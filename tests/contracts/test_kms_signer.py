"""A certificate is checked as docs/erasure.md says, with the public key and nothing of ours."""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from stamgast.erasure import certificate
from stamgast.erasure.certificate import certificate_of, settled, signed
from stamgast_aws.kms_signer import ALGORITHM, KmsSigner


class Kms:
    """KMS with one key, which takes digests as they are (moto hashes them once more)."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)

    def sign(self, *, KeyId: str, Message: bytes, **how: str) -> dict[str, Any]:  # noqa: N803
        assert how == {"MessageType": "DIGEST", "SigningAlgorithm": ALGORITHM}
        told = self.key.sign(Message, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        return {"KeyId": KeyId, "Signature": told}

    def get_public_key(self, *, KeyId: str) -> dict[str, bytes]:  # noqa: N803
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": self.key.public_key().public_bytes(serialization.Encoding.DER, form)}


@pytest.fixture(scope="module")
def signer() -> KmsSigner:
    return KmsSigner(Kms(), "key")


def told(signer: KmsSigner) -> dict[str, Any]:
    """A certificate that somebody settled, with a reason beyond ASCII."""
    found = certificate_of(
        request_id="r1",
        until_ms=1,
        unreachable_ms=2,
        proven_ms=3,
        removed={"raw/": 2},
        remaining={"exports/": 1},
        searched={"raw/": 10},
    )
    return settled(found, "désk", "naïve — «a namesake»", 4, signer.sign)


def is_genuine(told: Mapping[str, Any], public_key: str) -> bool:
    """What whoever holds a certificate does with it: sorted names, no blanks, UTF-8."""
    rest = {name: value for name, value in told.items() if name != "signature"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key: Any = serialization.load_der_public_key(b64decode(public_key))
    signature = b64decode(told["signature"]["signature"])
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_a_certificate_is_genuine_and_one_that_was_changed_is_not(signer: KmsSigner) -> None:
    made, key = told(signer), signer.certificate()
    assert is_genuine(made, key)
    for name in made.keys() - {"signature"}:
        assert not is_genuine({**made, name: "another"}, key)
        assert not is_genuine({one: v for one, v in made.items() if one != name}, key)


def test_an_unsettled_certificate_is_genuine_and_needs_the_key_that_signed(
    signer: KmsSigner,
) -> None:
    made = signed({"request_id": "r1", "remaining": 0}, signer.sign)
    assert is_genuine(made, signer.certificate())
    assert not is_genuine(made, KmsSigner(Kms(), "key").certificate())


def test_a_signature_over_less_than_is_told_would_be_seen(
    signer: KmsSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing = certificate.signed_text
    without = lambda told: signing({k: v for k, v in told.items() if k != "settled"})  # noqa: E731
    monkeypatch.setattr(certificate, "signed_text", without)
    assert not is_genuine(told(signer), signer.certificate())


def test_without_a_key_nothing_is_signed() -> None:
    assert KmsSigner(None, "").sign(b"text") is None
    assert KmsSigner(None, "").certificate() == ""
