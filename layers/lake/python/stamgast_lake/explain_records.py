"""The port `Records` of the explaining paths over the lake's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stamgast.identity.explain.case import Case
from stamgast_lake.explain import case_as_of, last_run, past_of, with_details
from stamgast_lake.health import newest_figures
from stamgast_lake.lake import Lake


@dataclass(frozen=True, slots=True)
class LakeRecords:
    """Answers from rows; every question opens a session of its own."""

    lake: Lake

    def case_then(self, key: str, moment: datetime) -> tuple[Case | None, dict[str, str] | None]:
        """The person of an identifier as the lake knew it at a moment, and the last run by then."""
        with past_of(self.lake, moment) as past:
            return case_as_of(past, self.lake, key), last_run(past)

    def with_details(self, case: Case, moment: datetime) -> tuple[Case, dict[str, str] | None]:
        """The live case with messages, cuts and links, and the last run by then."""
        with past_of(self.lake, moment) as past:
            return with_details(past, case, self.lake.workspace().identity), last_run(past)

    def health(self, most: int) -> Sequence[Mapping[str, Any]]:
        """The figures of the newest runs that measured them, the newest first."""
        return newest_figures(self.lake, most)
