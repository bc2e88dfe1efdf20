"""A stream that keeps the lines it is sent, or takes none, and salts that everybody knows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class KeptLines:
    """The one call of Firehose that disclosures make; `is_down` refuses what comes."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False

    def put_record_batch(self, *, Records: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        if self.is_down:
            return {"RequestResponses": [{"ErrorCode": "ServiceUnavailableException"}]}
        for record in Records:
            self.lines += [json.loads(line) for line in record["Data"].splitlines()]
        return {"RequestResponses": [{"RecordId": "1"} for _ in Records]}


class KnownSalts:
    """The port `Salts`: each name's salt is made of the name."""

    def of(self, names: Sequence[str]) -> Mapping[str, bytes]:
        return {name: b"salt of " + name.encode() for name in names}
