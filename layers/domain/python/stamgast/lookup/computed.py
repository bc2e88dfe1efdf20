"""The computed traits of a person as one look-up tells them, on the day of the workspace."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from stamgast.lookup.person import Profile
from stamgast.segments.kept import at_day

Today: TypeAlias = Callable[[], date]


def computed_of(profile: Profile, today: Today) -> Mapping[str, Any]:
    """Each trait by its name; none for a person of whom no run has computed anything."""
    told = profile.person.rows.get("computed", {}).get("computed")
    return {} if told is None else at_day(json.loads(told["traits"]), today())
