"""Who may send and who may read: sources with rotated write keys, and reader tokens.

Keys and tokens are shown once and kept as SHA-256 hashes: 256 random bits need no slow hash.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from stamgast_cli.errors import InputError

ACTIVE_KEYS = 2
Kind = Literal["public", "secret"]
PREFIXES: dict[Kind, str] = {"public": "sgp_", "secret": "sgs_"}
TOKEN_PREFIX = "sgr_"  # noqa: S105  a mark by which leaked tokens are found, no token
ALL = ("*",)


def hashed(secret: str) -> str:
    """Return the form in which a key or token is stored."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Access:
    """The control table's items of sources, keys and tokens."""

    client: Any
    table: str

    def add_source(
        self, source_id: str, *, name: str, kind: Kind, events_per_second: int | None = None
    ) -> str:
        """Make a source, or leave it as it is, and return its first or next write key."""
        item = {**_key(f"SOURCE#{source_id}"), "name": _s(name), "keys": {"L": []}}
        if events_per_second is not None:
            item["events_per_second"] = {"N": str(events_per_second)}
        try:
            self.client.put_item(
                TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(PK)"
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return self.rotate(source_id, kind=kind)
        return self.rotate(source_id, kind=kind)

    def rotate(self, source_id: str, *, kind: Kind) -> str:
        """Return a new write key; the newest of the old ones stays active beside it."""
        active = self._active(source_id)
        kept, dropped = active[-(ACTIVE_KEYS - 1) :], active[: -(ACTIVE_KEYS - 1)]
        key = PREFIXES[kind] + secrets.token_urlsafe(24)
        item = {
            **_key(f"KEY#{hashed(key)}"),
            "source_id": _s(source_id),
            "kind": _s(kind),
            "state": _s("active"),
            "created_at": _s(_now()),
        }
        steps = [{"Put": {"TableName": self.table, "Item": item}}]
        steps += [_revoke(self.table, f"KEY#{old}") for old in dropped]
        steps += [self._set_keys(source_id, [*kept, hashed(key)], active)]
        self.client.transact_write_items(TransactItems=steps)
        return key

    def revoke_key(self, key: str) -> str:
        """Refuse a write key from now on (functions notice within a minute); return its source."""
        digest = hashed(key)
        answer = self.client.get_item(TableName=self.table, Key=_key(f"KEY#{digest}"))
        if "Item" not in answer:
            raise InputError("this write key is not known here")
        source_id = str(answer["Item"]["source_id"]["S"])
        active = self._active(source_id)
        left = [one for one in active if one != digest]
        steps = [_revoke(self.table, f"KEY#{digest}"), self._set_keys(source_id, left, active)]
        self.client.transact_write_items(TransactItems=steps)
        return source_id

    def add_token(
        self, name: str, *, fields: Sequence[str] = ALL, namespaces: Sequence[str] = ALL
    ) -> str:
        """Return a new reader token that sees these fields of persons found by these namespaces."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        item = {
            **_key(f"TOKEN#{hashed(token)}"),
            "name": _s(name),
            "fields": _list(fields),
            "namespaces": _list(namespaces),
            "state": _s("active"),
            "created_at": _s(_now()),
        }
        self.client.put_item(TableName=self.table, Item=item)
        return token

    def revoke_token(self, token: str) -> None:
        """Refuse a reader token from now on."""
        step = _revoke(self.table, f"TOKEN#{hashed(token)}")["Update"]
        try:
            self.client.update_item(**step)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            raise InputError("this reader token is not known here") from error

    def _active(self, source_id: str) -> list[str]:
        answer = self.client.get_item(
            TableName=self.table, Key=_key(f"SOURCE#{source_id}"), ConsistentRead=True
        )
        if "Item" not in answer:
            raise InputError(
                f"there is no source {source_id!r}",
                hint=f"Make it with `stamgast source add {source_id}`.",
            )
        return [str(one["S"]) for one in answer["Item"].get("keys", {"L": []})["L"]]

    def _set_keys(self, source_id: str, keys: list[str], seen: list[str]) -> dict[str, Any]:
        """Return the step that names a source's keys, if nobody else has changed them since."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": _key(f"SOURCE#{source_id}"),
                "UpdateExpression": "SET #k = :keys",
                "ConditionExpression": "#k = :seen",
                "ExpressionAttributeNames": {"#k": "keys"},
                "ExpressionAttributeValues": {":keys": _list(keys), ":seen": _list(seen)},
            }
        }


def _revoke(table: str, place: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": _key(place),
            "UpdateExpression": "SET #s = :revoked",
            "ConditionExpression": "attribute_exists(PK)",
            "ExpressionAttributeNames": {"#s": "state"},
            "ExpressionAttributeValues": {":revoked": _s("revoked")},
        }
    }


def _key(place: str) -> dict[str, Any]:
    return {"PK": _s(place), "SK": _s("@")}


def _s(text: str) -> dict[str, str]:
    return {"S": text}


def _list(texts: Sequence[str]) -> dict[str, Any]:
    return {"L": [_s(text) for text in texts]}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
