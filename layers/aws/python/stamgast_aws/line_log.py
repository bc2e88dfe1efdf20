"""The log of a function on the path of a request: one line of JSON for each fact.

The lines have the keys of Powertools' logger, which the other functions use; importing that one
would cost each cold start of these a tenth of its budget.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from os import environ

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


class LineLog:
    """Writes facts of the level that the environment asks for, and above, to standard output."""

    def __init__(self, env: Mapping[str, str] = environ) -> None:
        self._env = env

    def info(self, message: str, **values: object) -> None:
        """One fact."""
        self._write("INFO", message, values)

    def error(self, message: str, **values: object) -> None:
        """One fault."""
        self._write("ERROR", message, values)

    def _write(self, level: str, message: str, values: Mapping[str, object]) -> None:
        if LEVELS[level] < LEVELS.get(self._env.get("LOG_LEVEL", "INFO").upper(), LEVELS["INFO"]):
            return
        line = {
            "level": level,
            "message": message,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": self._env.get("POWERTOOLS_SERVICE_NAME", ""),
            **self._trace(),
            **values,
        }
        sys.stdout.write(json.dumps(line, default=str) + "\n")
        sys.stdout.flush()

    def _trace(self) -> dict[str, str]:
        """The id under which X-Ray knows the request, where it is traced."""
        trace = self._env.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")
        return {"xray_trace_id": trace} if trace else {}
