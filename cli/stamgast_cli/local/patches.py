"""What the pinned emulator lacks and this process adds to it; `stamgast doctor` lists each one."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

PINNED = "1.5.33"
REMEMBERED = 4096
STATEMENT = re.compile(r'(INSERT INTO|UPDATE) "([^"]+)" ')
ACTIONS = {"INSERT INTO": "dynamodb:PartiQLInsert", "UPDATE": "dynamodb:PartiQLUpdate"}


@dataclass(frozen=True)
class Patch:
    """One difference from the emulator as published."""

    name: str
    why: str
    apply: Callable[[], None]


def _name_glue_databases() -> None:
    from ministack.core import iam_actions

    original: Callable[..., str] = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        told = original(service, method, path, headers, body, *rest)
        target = headers.get("x-amz-target", "")
        if service != "glue" or not target.endswith("Database"):
            return told
        return told.replace(":table/", ":database/")

    iam_actions.extract_resource_arn = extract_resource_arn


def _name_batched_writes() -> None:
    from ministack.core import iam_actions

    original: Callable[..., list[tuple[str, str]]] = iam_actions.dynamodb_transaction_checks

    def dynamodb_transaction_checks(
        iam_action: str, body: bytes, region: str, account_id: str
    ) -> list[tuple[str, str]]:
        if iam_action != "dynamodb:BatchExecuteStatement":
            return original(iam_action, body, region, account_id)
        told = [str(one.get("Statement")) for one in json.loads(body).get("Statements", ())]
        found = [STATEMENT.match(statement) for statement in told]
        arn = f"arn:aws:dynamodb:{region}:{account_id}:table/"
        checks = [(ACTIONS[one[1]], arn + one[2]) for one in found if one]
        return checks if len(checks) == len(told) else []

    iam_actions.dynamodb_transaction_checks = dynamodb_transaction_checks


def _lock_buckets() -> None:
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    handlers: dict[str, Any] = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    original: Callable[..., tuple[str, Any]] = handlers["create"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, Any]:
        told = original(logical_id, props, stack_name)
        rule = props.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        if str(props.get("ObjectLockEnabled")).lower() == "true":
            kept = {**rule, "Days": int(rule["Days"])} if rule else None
            s3._bucket_object_lock[told[0]] = {"enabled": True, "default_retention": kept}
        return told

    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"] = {**handlers, "create": create}


def _remember_what_was_parsed() -> None:
    from ministack.services import _dynamodb_keywords, dynamodb

    for module, name in (
        (dynamodb, "_condition_syntax_error"),
        (dynamodb, "_ddb_canonicalize_number"),
        (dynamodb, "_number_error"),
    ):
        setattr(module, name, lru_cache(REMEMBERED)(getattr(module, name)))
    for module in (dynamodb, _dynamodb_keywords):
        module._tokenize = _listing(module._tokenize)


def _listing(tokenize: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    """The same, remembering; whoever asks gets a list of its own."""
    known = lru_cache(REMEMBERED)(tokenize)
    return lambda text: list(known(text))


def _check_bodies_at_once() -> None:
    from anycrc import Model
    from ministack.services import s3

    s3._crc64nvme = Model("CRC64-NVME").calc


PATCHES: tuple[Patch, ...] = (
    Patch(
        name="a bucket's object lock is taken over from its template",
        why="a template's lock was dropped, and objects of the audit log could be deleted",
        apply=_lock_buckets,
    ),
    Patch(
        name="IAM names a Glue database as a database",
        why="with permissions enforced, GetDatabase was checked against a table of that name",
        apply=_name_glue_databases,
    ),
    Patch(
        name="IAM names a batch of writes as the writes it does",
        why="with permissions enforced, a batch of statements was checked as an action of its own",
        apply=_name_batched_writes,
    ),
    Patch(
        name="DynamoDB parses an expression once",
        why="each item of a transaction had its conditions, updates and numbers read anew",
        apply=_remember_what_was_parsed,
    ),
    Patch(
        name="S3 checks an upload's bytes together",
        why="CRC-64 was computed byte by byte, and everything else waited for it",
        apply=_check_bodies_at_once,
    ),
)


def apply() -> None:
    """Apply every patch; they touch private names, so another release is refused."""
    found = version("ministack")
    if found != PINNED:
        raise SystemExit(f"the patches were written for ministack {PINNED}, not {found}")
    for patch in PATCHES:
        patch.apply()
