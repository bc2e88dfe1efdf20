"""Who may send and who may read, as verbs and `up` arrange it in a deployment."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, time
from typing import Literal

from stamgast.ingestion.write_key import hash_of
from stamgast.lookup.reader import EVERYTHING, Action, Reader
from stamgast_aws.source_registry import DynamoSourceRegistry, TooManyKeysError, UnknownKeyError
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import InputError

Kind = Literal["public", "secret"]
DAY_SECONDS = 86_400
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Access:
    """Sources with their write keys, and reader tokens."""

    sources: DynamoSourceRegistry
    tokens: DynamoTokenStore

    def add_source(
        self, source_id: str, *, name: str, kind: Kind, events_per_second: int | None = None
    ) -> str:
        """Make a source, or rename one, and return a new write key of it."""
        self.sources.declare(source_id, name, events_per_second)
        return self.issue(source_id, kind)

    def issue(self, source_id: str, kind: Kind) -> str:
        """Return a new write key; the one before stays active beside it."""
        try:
            return self.sources.issue(
                source_id, kind, datetime.now(UTC).isoformat(timespec="seconds")
            )
        except TooManyKeysError as error:
            hashes = ", ".join(self.sources.active(source_id))
            raise InputError(
                f"{source_id} has two active write keys already, with the hashes {hashes}",
                hint="Revoke one by its key or its hash: stamgast source revoke …",
            ) from error

    def revoke(self, key_or_hash: str) -> None:
        """Refuse a write key from now on."""
        try:
            self.sources.revoke(
                key_or_hash if HASH.fullmatch(key_or_hash) else hash_of(key_or_hash)
            )
        except UnknownKeyError as error:
            raise InputError("this write key is not known here") from error

    def add_token(
        self,
        name: str,
        *,
        fields: Sequence[str] = (EVERYTHING,),
        namespaces: Sequence[str] = (EVERYTHING,),
        may: Sequence[str] = (),
        purposes: Sequence[str] = (),
        days: int | None = None,
    ) -> str:
        """Return a new token: the fields that it sees, of whom, for what, and how long."""
        unknown = sorted(set(may).difference(Action))
        if unknown:
            raise InputError(
                f"there is no action {', '.join(unknown)}",
                hint=f"A token may be granted {', '.join(Action)}.",
            )
        expires_s = None if days is None else int(time()) + days * DAY_SECONDS
        scope = (tuple(fields), tuple(namespaces), tuple(may), tuple(purposes))
        return self.tokens.issue(Reader(name, *scope, expires_s=expires_s))

    def rotate_token(self, token: str, overlap_hours: int, more: Sequence[str] = ()) -> str:
        """Return a new token of the same scope and `more` fields; the old one ends later."""
        fresh = self.tokens.rotate(token, overlap_hours * 3600, more)
        if fresh is None:
            raise InputError("this reader token is not known here, revoked, or over")
        return fresh

    def revoke_token(self, token: str) -> None:
        """Refuse a reader token from now on."""
        if not self.tokens.revoke(token):
            raise InputError("this reader token is not known here")


def access_to(deployment: Deployment) -> Access:
    """Return who may send to and read from a deployment."""
    client, table = deployment.client("dynamodb"), deployment.output("ControlTable")
    return Access(DynamoSourceRegistry(client, table), DynamoTokenStore(client, table, monotonic))
