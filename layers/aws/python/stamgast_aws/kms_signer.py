"""Signatures of certificates and answers by an asymmetric key of KMS."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stamgast_aws.calls import call

ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"


@dataclass(frozen=True, slots=True)
class KmsSigner:
    """Signs with a key that nobody can take out of KMS; without a key nothing is signed."""

    client: Any
    key_id: str

    def sign(self, text: bytes) -> dict[str, str] | None:
        """Algorithm, key and signature in base64; None without a key."""
        if not self.key_id:
            return None
        answer = call(
            self.client.sign,
            KeyId=self.key_id,
            Message=sha256(text).digest(),
            MessageType="DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        signature = b64encode(answer["Signature"]).decode()
        return {"algorithm": ALGORITHM, "key": answer["KeyId"], "signature": signature}

    def certificate(self) -> str:
        """The public key in base64 (DER), with which signatures are checked; empty without one."""
        if not self.key_id:
            return ""
        return b64encode(call(self.client.get_public_key, KeyId=self.key_id)["PublicKey"]).decode()
