"""How far a workspace's days were enforced, written down beside the documents of runs."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from botocore.exceptions import ClientError

from stamgast_lake.lake import Lake

DONE_KEY = "runs/retention.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """One limit: days before `until`, of what runs up to number `seq` had loaded.

    `key` is what the limit says; of another one the mark tells nothing.
    """

    key: str
    until: str
    seq: int


@dataclass(slots=True)
class Done:
    """The marks by the name of their limit; `on` is the day on which all was enforced."""

    on: str = ""
    marks: dict[str, Mark] = field(default_factory=dict)

    @classmethod
    def read(cls, lake: Lake) -> "Done":
        """What was written, or nothing: then everything is looked at again."""
        try:
            answer = lake.s3.get_object(Bucket=lake.bucket, Key=DONE_KEY)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            return cls()
        told: dict[str, Any] = orjson.loads(answer["Body"].read())
        return cls(told["on"], {name: Mark(**one) for name, one in told["marks"].items()})

    def write(self, lake: Lake) -> None:
        """Keeps the marks."""
        lake.s3.put_object(Bucket=lake.bucket, Key=DONE_KEY, Body=orjson.dumps(self))

    def mark(self, name: str, key: str) -> Mark | None:
        """How far this very limit was enforced."""
        told = self.marks.get(name)
        return told if told is not None and told.key == key else None

    def put(self, name: str, mark: Mark) -> None:
        """Sets a mark."""
        self.marks[name] = mark
