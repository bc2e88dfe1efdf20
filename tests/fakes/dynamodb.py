"""An in-process DynamoDB with the call shapes, expressions and errors of boto3's client."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from math import ceil
from types import SimpleNamespace
from typing import Any, TypeAlias

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fakes.expressions import (
    ExpressionError,
    Item,
    Parsed,
    Scope,
    Steps,
    Test,
    Update,
    Value,
    at,
    number,
    number_text,
    parse_condition,
    parse_projection,
    parse_update,
    resolve,
)

KEY = ("PK", "SK")
INSERT = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{((?:'[^']+': \?(?:, )?)+)\}""")
REMOVED = re.compile(r"""UPDATE "([^"]+)" REMOVE "([^"]+)" WHERE ((?:"[^"]+" = \?(?: AND )?)+)""")
QUOTED = re.compile(r'"([^"]+)" = \?')
NAMED = re.compile(r"'([^']+)': \?")
ITEM_BYTES, PAGE_BYTES = 400 * 1024, 1024 * 1024
Place: TypeAlias = tuple[str, str, str]
Answer: TypeAlias = dict[str, Any]


class Fault(Enum):
    """What a hook may do to one call."""

    THROTTLED = "refused before any effect, ProvisionedThroughputExceededException"
    LOST_REQUEST = "no effect, the caller sees a time-out"
    LOST_REPLY = "the effect stands, the caller sees a time-out"
    SENT_TWICE = "the effect stands, the SDK repeats the request and returns the second answer"
    PARTIAL = "a batch does only a part and hands the rest back"
    CONFLICT = "a transaction is cancelled with TransactionConflict"


class ConditionFailed(Exception):  # noqa: N818  (carries an item inside the fake, never leaves it)
    """A condition that did not hold, with the item that it was held against."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


CODES = (
    "ConditionalCheckFailedException",
    "TransactionCanceledException",
    "ProvisionedThroughputExceededException",
    "ResourceNotFoundException",
    "ValidationException",
)
ERRORS: dict[str, type[ClientError]] = {code: type(code, (ClientError,), {}) for code in CODES}


def client_error(operation: str, code: str, message: str, **more: Any) -> ClientError:
    """A ClientError as botocore raises it."""
    body = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0},
        "Message": message,
        **more,
    }
    return ERRORS.get(code, ClientError)(body, operation)


class Invalid(Exception):  # noqa: N818
    """A request that DynamoDB refuses with a ValidationException."""


def copied(value: Any) -> Any:
    """A deep copy of plain lists and dicts, so that no caller shares the stored item."""
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [copied(v) for v in value]
    return bytes(value) if isinstance(value, bytearray) else value


def bytes_of(value: Any) -> int:
    """The size that DynamoDB counts, up to a byte or two for numbers."""
    if isinstance(value, dict):
        return sum(len(str(k).encode()) + bytes_of(v) for k, v in value.items())
    if isinstance(value, list):
        return sum(1 + bytes_of(v) for v in value)
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(value) if isinstance(value, bytes) else 1


def size(item: Item) -> int:
    """The size of an item in bytes: its names and values, not the type letters."""
    return sum(
        len(name.encode()) + sum(bytes_of(held) for held in value.values())
        for name, value in item.items()
    )


def checked(value: Value) -> None:
    """Refuses what DynamoDB refuses in a stored value: empty sets and twice the same member."""
    ((of, held),) = value.items()
    if of in ("SS", "NS", "BS"):
        if not held:
            raise Invalid(
                "One or more parameter values were invalid: An number set  may not be empty"
            )
        if len(set(held)) != len(held):
            raise Invalid(
                "One or more parameter values were invalid: Input collection "
                f"[{', '.join(map(str, held))}] contains duplicates."
            )
    elif of == "L":
        for one in held:
            checked(one)
    elif of == "M":
        for one in held.values():
            checked(one)
    elif of == "N":
        number(value)


@lru_cache
def _validator() -> tuple[Any, Any]:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    model = Loader().load_service_model("dynamodb", "service-2")
    return ServiceModel(model, "dynamodb"), ParamValidator()


def validate_shape(operation: str, request: Mapping[str, Any]) -> None:
    """Raises what boto3 raises for a parameter of the wrong name or type."""
    from botocore.exceptions import ParamValidationError

    service, validator = _validator()
    report = validator.validate(request, service.operation_model(operation).input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


class DynamoDB:
    """Tables with the string keys PK and SK, held in memory.

    With `is_quick` it neither weighs items nor copies them nor looks for unused placeholders: for
    schedules over code that passes without.

    `before(operation, request)` runs at each call and may return a Fault; `committed(places)`
    runs after each write with the (table, PK, SK) that it touched; `between()` before each item of
    a batch is read, in the order that `shuffle` leaves, for a batch is no snapshot; `is_stale()`
    decides for each eventually consistent read whether it sees the version before the newest.
    """

    def __init__(self, *tables: str, page_items: int = 1_000_000, strict: bool = False) -> None:
        self.tables: dict[str, dict[str, dict[str, Item]]] = {name: {} for name in tables}
        self.former: dict[Place, Item | None] = {}
        self.page_items, self.strict = page_items, strict
        self.before: Callable[[str, Mapping[str, Any]], Fault | None] = lambda *_: None
        self.committed: Callable[[list[Place]], None] = lambda places: None
        self.between: Callable[[], None] | None = None
        self.shuffle: Callable[[list[Place]], None] = lambda places: None
        self.is_stale: Callable[[], bool] = lambda: False
        self.tokens: dict[str, Answer] = {}
        self.calls: dict[str, int] = {}
        self.is_quick = False
        self.write_units = 0
        self.exceptions = SimpleNamespace(**ERRORS, ClientError=ClientError)
        self.meta = SimpleNamespace(region_name="eu-west-1", endpoint_url="memory:")

    # the client's calls

    def get_item(self, **request: Any) -> Answer:
        return self._call("GetItem", request, self._get)

    def batch_get_item(self, **request: Any) -> Answer:
        return self._call("BatchGetItem", request, self._batch_get)

    def query(self, **request: Any) -> Answer:
        return self._call("Query", request, self._query)

    def scan(self, **request: Any) -> Answer:
        return self._call("Scan", request, self._scan)

    def put_item(self, **request: Any) -> Answer:
        return self._call("PutItem", request, self._write_one("Put"))

    def update_item(self, **request: Any) -> Answer:
        return self._call("UpdateItem", request, self._write_one("Update"))

    def delete_item(self, **request: Any) -> Answer:
        return self._call("DeleteItem", request, self._write_one("Delete"))

    def batch_write_item(self, **request: Any) -> Answer:
        return self._call("BatchWriteItem", request, self._batch_write)

    def batch_execute_statement(self, **request: Any) -> Answer:
        return self._call("BatchExecuteStatement", request, self._statements)

    def transact_write_items(self, **request: Any) -> Answer:
        return self._call("TransactWriteItems", request, self._transact)

    def transact_get_items(self, **request: Any) -> Answer:
        return self._call("TransactGetItems", request, self._transact_get)

    # one call, with its fault

    def _call(
        self, operation: str, request: Mapping[str, Any], run: Callable[..., Answer]
    ) -> Answer:
        if self.strict:
            validate_shape(operation, request)
        self.calls[operation] = self.calls.get(operation, 0) + 1
        fault = self.before(operation, request)
        if fault is Fault.THROTTLED:
            raise client_error(
                operation,
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput was exceeded",
            )
        if fault is Fault.CONFLICT and operation == "TransactWriteItems":
            raise self._cancelled(["TransactionConflict"] * len(request["TransactItems"]), {})
        if fault is Fault.LOST_REQUEST:
            raise ReadTimeoutError(endpoint_url="memory:")
        answer = self._guarded(operation, request, run, fault)
        if fault is Fault.SENT_TWICE and operation != "TransactWriteItems":
            answer = self._guarded(operation, request, run, fault)
        if fault is Fault.LOST_REPLY:
            raise ReadTimeoutError(endpoint_url="memory:")
        return answer

    @staticmethod
    def _guarded(
        operation: str, request: Mapping[str, Any], run: Callable[..., Answer], fault: Fault | None
    ) -> Answer:
        try:
            return run(request, fault)
        except (Invalid, ExpressionError) as error:
            raise client_error(operation, "ValidationException", str(error)) from error
        except ConditionFailed as error:
            more = {}
            if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and error.item:
                more["Item"] = copied(error.item)
            raise client_error(
                operation,
                "ConditionalCheckFailedException",
                "The conditional request failed",
                **more,
            ) from error

    @staticmethod
    def _cancelled(codes: list[str], items: Mapping[int, Item]) -> ClientError:
        messages = {
            "ConditionalCheckFailed": "The conditional request failed",
            "TransactionConflict": "Transaction is ongoing for the item",
        }
        reasons = []
        for n, code in enumerate(codes):
            reason: Answer = {"Code": code}
            if code in messages:
                reason["Message"] = messages[code]
            if n in items:
                reason["Item"] = copied(items[n])
            reasons.append(reason)
        return client_error(
            "TransactWriteItems",
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            f"[{', '.join(codes)}]",
            CancellationReasons=reasons,
        )

    # places

    def _table(self, name: str, operation: str) -> dict[str, dict[str, Item]]:
        table = self.tables.get(name.rpartition("/")[2])
        if table is None:
            raise client_error(
                operation, "ResourceNotFoundException", "Requested resource not found"
            )
        return table

    @staticmethod
    def _place(table: str, key: Mapping[str, Value], exact: bool = True) -> Place:
        try:
            pk, sk = key["PK"]["S"], key["SK"]["S"]
        except KeyError as error:
            raise Invalid("The provided key element does not match the schema") from error
        if exact and len(key) != len(KEY):
            raise Invalid("The provided key element does not match the schema")
        if not pk or not sk:
            raise Invalid(
                "One or more parameter values are not valid. The AttributeValue for a key "
                "attribute cannot contain an empty string value. Key: PK"
            )
        return table, pk, sk

    def item(self, table: str, pk: str, sk: str) -> Item | None:
        """The newest item as stored, for assertions: not a call, not to be changed."""
        return self.tables[table].get(pk, {}).get(sk)

    def partition(self, table: str, pk: str) -> list[Item]:
        """All items under one PK in the order of their SK, for assertions."""
        held = self.tables[table].get(pk, {})
        return [held[sk] for sk in sorted(held, key=str.encode)]

    def items(self, table: str) -> Iterable[Item]:
        """Every item of a table, for assertions."""
        for pk in sorted(self.tables[table], key=str.encode):
            yield from self.partition(table, pk)

    def _store(self, place: Place, item: Item | None, factor: int = 1) -> None:
        table, pk, sk = place
        old = self.item(*place)
        self.former[place] = old
        if not self.is_quick:
            self._weigh(old, item, factor)
        if item is None:
            self.tables[table].get(pk, {}).pop(sk, None)
        else:
            self.tables[table].setdefault(pk, {})[sk] = item

    def _weigh(self, old: Item | None, item: Item | None, factor: int) -> None:
        largest = max(size(item) if item else 0, size(old) if old else 0)
        self.write_units += factor * max(1, ceil(largest / 1024))

    def _torn(self, place: Place, request: Mapping[str, Any]) -> Item | None:
        if self.between is not None:
            self.between()
        return self._seen(place, request)

    def _seen(self, place: Place, request: Mapping[str, Any]) -> Item | None:
        if not request.get("ConsistentRead") and place in self.former and self.is_stale():
            return self.former[place]
        return self.item(*place)

    # reading

    def _get(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        self._table(request["TableName"], "GetItem")
        found = self._seen(self._place(request["TableName"], request["Key"]), request)
        projection = _projection(request)
        if not self.is_quick:
            used(request, projection)
        return {"Item": self._out(found, projection, request)} if found is not None else {}

    def _out(
        self, item: Item, projection: Parsed[list[Steps]] | None, request: Mapping[str, Any]
    ) -> Item:
        """What a reader gets of an item: a copy, unless nobody changes what they read."""
        if self.is_quick and projection is None:
            return item
        return projected(item, projection, request)

    def _batch_get(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        asked = request["RequestItems"]
        if sum(len(wanted["Keys"]) for wanted in asked.values()) > 100:
            raise Invalid("Too many items requested for the BatchGetItem call")
        responses: Answer = {}
        rest: Answer = {}
        for table, wanted in asked.items():
            self._table(table, "BatchGetItem")
            places = [self._place(table, key) for key in wanted["Keys"]]
            if len(set(places)) != len(places):
                raise Invalid("Provided list of item keys contains duplicates")
            projection = _projection(wanted)
            if not self.is_quick:
                used(wanted, projection)
            kept = len(places) // 2 if fault is Fault.PARTIAL else len(places)
            asked_first = places[:kept]
            self.shuffle(asked_first)
            found = [self._torn(place, wanted) for place in asked_first]
            responses[table] = [self._out(f, projection, wanted) for f in found if f is not None]
            if kept < len(places):
                rest[table] = {**wanted, "Keys": copied(wanted["Keys"][kept:])}
        return {"Responses": responses, "UnprocessedKeys": rest}

    def _transact_get(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        found = []
        for entry in request["TransactItems"]:
            self._table(entry["Get"]["TableName"], "TransactGetItems")
            item = self.item(*self._place(entry["Get"]["TableName"], entry["Get"]["Key"]))
            found.append({"Item": copied(item)} if item is not None else {})
        return {"Responses": found}

    def _query(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        table = self._table(request["TableName"], "Query")
        if not request.get("KeyConditionExpression"):
            raise Invalid("Either the KeyConditions or KeyConditionExpression must be specified")
        condition = parse_condition(request["KeyConditionExpression"])
        names, values = _placeholders(request)
        if not self.is_quick:
            used(request, condition, _filter(request), _projection(request))
        partitions = dict.fromkeys(v["S"] for v in values.values() if v.get("S") in table)
        found = [
            self._seen((request["TableName"], of, sk), request) or stored
            for of in partitions
            for sk, stored in sorted(table[of].items(), key=_by_sort_key)
            if condition.run(Scope(stored, names, values))
        ]
        if request.get("ScanIndexForward") is False:
            found.reverse()
        return self._page(request, found)

    def _scan(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        self._table(request["TableName"], "Scan")
        used(request, _filter(request), _projection(request))
        return self._page(request, list(self.items(request["TableName"])))

    def _page(self, request: Mapping[str, Any], found: list[Item]) -> Answer:
        start = request.get("ExclusiveStartKey")
        if start:
            backward = request.get("ScanIndexForward") is False
            found = [item for item in found if _after(item, start, backward)]
        most = min(request.get("Limit") or self.page_items, self.page_items)
        page, weight = [], 0
        for item in found[:most]:
            weight += 0 if self.is_quick else size(item)
            if page and weight > PAGE_BYTES:
                break
            page.append(item)
        names, values = _placeholders(request)
        keep = _filter(request)
        kept = [i for i in page if keep is None or keep.run(Scope(i, names, values))]
        answer: Answer = {"Count": len(kept), "ScannedCount": len(page)}
        if request.get("Select") != "COUNT":
            projection = _projection(request)
            answer["Items"] = [self._out(item, projection, request) for item in kept]
        if len(page) < len(found) or (request.get("Limit") == len(page) and page):
            answer["LastEvaluatedKey"] = {k: copied(page[-1][k]) for k in KEY}
        return answer

    # writing

    def _write_one(self, action: str) -> Callable[..., Answer]:
        def run(request: Mapping[str, Any], fault: Fault | None) -> Answer:
            self._table(request["TableName"], action)
            place, old, new = self._effect(action, request)
            self._store(place, new)
            self.committed([place])
            wanted = request.get("ReturnValues", "NONE")
            if wanted == "ALL_OLD":
                return {"Attributes": copied(old)} if old else {}
            return {"Attributes": copied(new)} if wanted == "ALL_NEW" else {}

        return run

    def _effect(
        self, action: str, request: Mapping[str, Any]
    ) -> tuple[Place, Item | None, Item | None]:
        """The place, the old item and the new one, once the condition holds."""
        table = request["TableName"].rpartition("/")[2]
        body = request["Item"] if action == "Put" else request["Key"]
        place = self._place(table, body, exact=action != "Put")
        old = self.item(*place)
        condition = _condition(request)
        update = (
            parse_update(request["UpdateExpression"]) if "UpdateExpression" in request else None
        )
        if not self.is_quick:
            used(request, condition, update)
        names, values = _placeholders(request)
        if condition is not None and not condition.run(Scope(old or {}, names, values)):
            raise ConditionFailed(old)
        if action == "Put":
            new = body if self.is_quick else copied(body)
            for value in () if self.is_quick else new.values():
                checked(value)
        elif action == "Update":
            new = updated(old or copied(dict(body)), update, names, values)
        else:
            new = None if action == "Delete" else old
        is_weighed = action != "ConditionCheck" and not self.is_quick
        if new is not None and is_weighed and size(new) > ITEM_BYTES:
            raise Invalid("Item size has exceeded the maximum allowed size")
        return place, old, new

    def _batch_write(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        asked = request["RequestItems"]
        entries = [(table, one) for table, all_ in asked.items() for one in all_]
        if len(entries) > 25:
            raise Invalid("Too many items requested for the BatchWriteItem call")
        effects = []
        for table, one in entries:
            self._table(table, "BatchWriteItem")
            ((kind, body),) = one.items()
            action = "Put" if kind == "PutRequest" else "Delete"
            place, _, new = self._effect(action, {"TableName": table, **body})
            effects.append((place, new))
        if len({place for place, _ in effects}) != len(effects):
            raise Invalid("Provided list of item keys contains duplicates")
        kept = len(effects) // 2 if fault is Fault.PARTIAL else len(effects)
        for place, new in effects[:kept]:
            self._store(place, new)
        self.committed([place for place, _ in effects[:kept]])
        rest: Answer = {}
        for table, one in entries[kept:]:
            rest.setdefault(table, []).append(copied(one))
        return {"UnprocessedItems": rest}

    def _statements(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        """Statements of two forms, each value a parameter: INSERT INTO, and UPDATE … REMOVE."""
        told = request["Statements"]
        if not 1 <= len(told) <= 25:
            raise Invalid("Member must have length less than or equal to 25")
        kept = len(told) // 2 if fault is Fault.PARTIAL else len(told)
        answers: list[Answer] = [self._stated(one) for one in told[:kept]]
        throttled = {"Error": {"Code": "ThrottlingError", "Message": "Rate exceeded"}}
        return {"Responses": answers + [copied(throttled) for _ in told[kept:]]}

    def _stated(self, statement: Mapping[str, Any]) -> Answer:
        table, action, body, refused = self._statement(statement)
        self._table(table, "BatchExecuteStatement")
        try:
            place, _, new = self._effect(action, {"TableName": table, **body})
        except ConditionFailed:
            return {"Error": {"Code": refused, "Message": "The condition did not hold"}}
        self._store(place, new)
        self.committed([place])
        return {"TableName": table}

    def _statement(self, statement: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], str]:
        """The table, the write that a statement stands for, and the error of its condition."""
        text, values = statement["Statement"], statement["Parameters"]
        if form := INSERT.fullmatch(text):
            item = dict(zip(NAMED.findall(form[2]), values, strict=True))
            absent = "attribute_not_exists(PK)"
            return form[1], "Put", {"Item": item, "ConditionExpression": absent}, "DuplicateItem"
        if form := REMOVED.fullmatch(text):
            told = dict(zip(QUOTED.findall(form[3]), values, strict=True))
            rest = [name for name in told if name not in KEY]
            body = {
                "Key": {name: told[name] for name in KEY},
                "UpdateExpression": "REMOVE #gone",
                "ConditionExpression": " AND ".join(
                    ["attribute_exists(PK)", *(f"#{name} = :{name}" for name in rest)]
                ),
                "ExpressionAttributeNames": {"#gone": form[2], **{f"#{n}": n for n in rest}},
                "ExpressionAttributeValues": {f":{name}": told[name] for name in rest},
            }
            return form[1], "Update", body, "ConditionalCheckFailed"
        raise Invalid("Statement wasn't well formed, can't be processed")

    def _transact(self, request: Mapping[str, Any], fault: Fault | None) -> Answer:
        token = request.get("ClientRequestToken")
        if token in self.tokens:
            return self.tokens[token]
        entries = [next(iter(entry.items())) for entry in request["TransactItems"]]
        if not 1 <= len(entries) <= 100:
            raise Invalid("Member must have length less than or equal to 100")
        codes, held, effects = [], {}, []
        for n, (action, body) in enumerate(entries):
            self._table(body["TableName"], "TransactWriteItems")
            try:
                place, _, new = self._effect(action, body)
                effects.append((action, place, new))
                codes.append("None")
            except ConditionFailed as error:
                codes.append("ConditionalCheckFailed")
                if body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and error.item:
                    held[n] = error.item
        if set(codes) != {"None"}:
            raise self._cancelled(codes, held)
        if len({place for _, place, _ in effects}) != len(effects):
            raise Invalid("Transaction request cannot include multiple operations on one item")
        for action, place, new in effects:
            if action != "ConditionCheck":
                self._store(place, new, factor=2)
        self.committed([place for action, place, _ in effects if action != "ConditionCheck"])
        if token is not None:
            self.tokens[token] = {}
        return {}


def _by_sort_key(stored: tuple[str, Item]) -> bytes:
    return stored[0].encode()


def _placeholders(request: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Value]]:
    return (
        request.get("ExpressionAttributeNames") or {},
        request.get("ExpressionAttributeValues") or {},
    )


def _condition(request: Mapping[str, Any]) -> Parsed[Test] | None:
    text = request.get("ConditionExpression")
    return None if text is None else parse_condition(text)


def _filter(request: Mapping[str, Any]) -> Parsed[Test] | None:
    text = request.get("FilterExpression")
    return None if text is None else parse_condition(text)


def _projection(request: Mapping[str, Any]) -> Parsed[list[Steps]] | None:
    text = request.get("ProjectionExpression")
    return None if text is None else parse_projection(text)


def used(request: Mapping[str, Any], *parsed: Parsed[Any] | None) -> None:
    """Refuses placeholders that are missing or that no expression uses."""
    names, values = _placeholders(request)
    for given, wanted, of in (
        (names, [p.names for p in parsed if p], "Names"),
        (values, [p.values for p in parsed if p], "Values"),
    ):
        needed = frozenset[str]().union(*wanted)
        if missing := needed - given.keys():
            raise Invalid(f"An expression attribute is not defined: {sorted(missing)}")
        if unused := given.keys() - needed:
            raise Invalid(
                f"Value provided in ExpressionAttribute{of} unused in expressions: "
                f"keys: {{{', '.join(sorted(unused))}}}"
            )
        if of == "Values" and given == {} and request.get("ExpressionAttributeValues") is not None:
            raise Invalid("ExpressionAttributeValues must not be empty")


def projected(
    item: Item | None, projection: Parsed[list[Steps]] | None, request: Mapping[str, Any]
) -> Item:
    """A copy of an item with the projected top-level attributes (whole list elements aside)."""
    if projection is None or item is None:
        return dict(copied(item))
    names, _ = _placeholders(request)
    chosen: Item = {}
    for steps in projection.run:
        path = resolve(steps, names)
        value = at(item, path)
        if value is not None:
            _graft(chosen, path, copied(value))
    return chosen


def _graft(chosen: Item, path: Steps, value: Value) -> None:
    *way, last = path
    holder: dict[Any, Any] = chosen
    for step in way:
        if isinstance(step, int):
            raise ExpressionError("projections into lists are not supported here")
        holder = holder.setdefault(step, {"M": {}})["M"]
    if isinstance(last, int):
        raise ExpressionError("projections into lists are not supported here")
    holder[last] = value


def _after(item: Item, start: Mapping[str, Value], backward: bool) -> bool:
    mine = tuple(item[k]["S"].encode() for k in KEY)
    its = tuple(start[k]["S"].encode() for k in KEY)
    if mine[0] != its[0]:
        return mine > its
    return mine < its if backward else mine > its


def updated(
    old: Item,
    update: Parsed[Update] | None,
    names: Mapping[str, str],
    values: Mapping[str, Value],
) -> Item:
    """The item after an update; every right-hand side reads the item as it was."""
    if update is None:
        return old
    scope, new = Scope(old, names, values), copied(old)
    written = [resolve(path, names) for path in _paths(update.run)]
    if len(set(written)) != len(written):
        raise Invalid("Invalid UpdateExpression: Two document paths overlap with each other")
    for path in written:
        if path[0] in KEY:
            raise Invalid(
                "One or more parameter values were invalid: Cannot update attribute "
                f"{path[0]}. This attribute is part of the key"
            )
    sets = [(resolve(path, names), read(scope)) for path, read in update.run.sets]
    for path, value in sets:
        if value is None:
            raise Invalid(
                "The provided expression refers to an attribute that does not exist in the item"
            )
        checked(value)
        _place_value(new, path, copied(value))
    for path in update.run.removes:
        _remove(new, resolve(path, names))
    for path, name in update.run.adds:
        resolved = resolve(path, names)
        _place_value(new, resolved, added(at(old, resolved), values[name]))
    for path, name in update.run.deletes:
        resolved = resolve(path, names)
        left = without(at(old, resolved), values[name])
        if left is None:
            _remove(new, resolved)
        else:
            _place_value(new, resolved, left)
    return dict(new)


def _paths(update: Update) -> Iterable[Steps]:
    yield from (path for path, _ in update.sets)
    yield from update.removes
    yield from (path for path, _ in update.adds)
    yield from (path for path, _ in update.deletes)


def _holder(item: Item, path: Steps) -> Any:
    if len(path) == 1:
        return item
    parent = at(item, path[:-1])
    if parent is None or ("M" not in parent and "L" not in parent):
        raise Invalid("The document path provided in the update expression is invalid for update")
    return parent["M"] if "M" in parent else parent["L"]


def _place_value(item: Item, path: Steps, value: Value) -> None:
    holder, last = _holder(item, path), path[-1]
    if isinstance(holder, list) and isinstance(last, int) and last >= len(holder):
        holder.append(value)
    else:
        holder[last] = value


def _remove(item: Item, path: Steps) -> None:
    holder = _holder(item, path)
    if at(item, path) is not None:
        del holder[path[-1]]


def added(old: Value | None, more: Value) -> Value:
    """ADD: a sum of numbers or a union of sets."""
    if old is None:
        checked(more)
        return dict(copied(more))
    of = next(iter(more))
    if of not in old or of not in ("N", "SS", "NS", "BS"):
        raise Invalid("An operand in the update expression has an incorrect data type")
    if of == "N":
        return {"N": number_text(number(old) + number(more))}
    return {of: [*old[of], *(m for m in more[of] if m not in old[of])]}


def without(old: Value | None, fewer: Value) -> Value | None:
    """DELETE: a set less some members, None when nothing is left."""
    of = next(iter(fewer))
    if of not in ("SS", "NS", "BS") or (old is not None and of not in old):
        raise Invalid("An operand in the update expression has an incorrect data type")
    left = [m for m in (old or {of: []})[of] if m not in fewer[of]]
    return {of: left} if left else None
