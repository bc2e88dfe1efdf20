"""Stars as they are parked, apart from what look-ups read: a star knows events, they do not."""

from collections.abc import Sequence
from typing import Any

from stamgast.identity.assurance import Assurance
from stamgast.identity.codec import SCHEMA, Attributes, Read, birth_of, birth_text
from stamgast.identity.edge import Support
from stamgast.identity.edge_codec import support_list
from stamgast.identity.settings import Kind
from stamgast.identity.star import Sighting, Star


def star_attributes(star: Star) -> Attributes:
    """A star as it is parked."""
    return {
        "schema": SCHEMA,
        "anchor": star.anchor,
        "because": star.because,
        "sightings": [_sighting_list(star.sightings[key]) for key in sorted(star.sightings)],
        "supports": {key: support_list(star.supports[key]) for key in sorted(star.supports)},
    }


def star_from(item: Read) -> Star:
    """Reads what `star_attributes` wrote."""
    sightings = [_sighting_of(told) for told in item["sightings"]]
    return Star(
        item["anchor"],
        item["because"],
        {sighting.key: sighting for sighting in sightings},
        {key: Support(*told) for key, told in item["supports"].items()},
    )


def _sighting_list(seen: Sighting) -> list[Any]:
    return [seen.key, seen.kind.value, int(seen.assurance), birth_text(seen.born), seen.value]


def _sighting_of(told: Sequence[Any]) -> Sighting:
    key, kind, assurance, born, value = told
    namespace = key.partition(":")[0]
    return Sighting(key, namespace, Kind(kind), Assurance(assurance), birth_of(born), value)
