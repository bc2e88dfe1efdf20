"""`context.proof`: how a customer's server vouches for the userId in a page's event.

The text is `<expiry in epoch seconds>.<base64url of HMAC-SHA-256(secret, userId 00 expiry)>`.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest, digest


def prove(user_id: str, expires_at_seconds: int, secret: bytes) -> str:
    """The proof that a server hands to its page after a log-in."""
    told = f"{user_id}\0{expires_at_seconds}".encode("utf-8", "surrogatepass")
    signature = urlsafe_b64encode(digest(secret, told, sha256)).rstrip(b"=").decode()
    return f"{expires_at_seconds}.{signature}"


def is_proven(proof: str, user_id: str, received_ms: int, secret: bytes) -> bool:
    """Whether the proof is for this user, not expired when the event was received, and genuine."""
    expiry, dot, _ = proof.partition(".")
    if not dot or not (expiry.isascii() and expiry.isdigit()) or len(expiry) > 12:
        return False
    genuine = prove(user_id, int(expiry), secret)
    is_genuine = compare_digest(genuine.encode(), proof.encode("utf-8", "replace"))
    return is_genuine and received_ms <= int(expiry) * 1000
