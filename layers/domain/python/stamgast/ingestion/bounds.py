"""How much one request may bring; every bound of the stage stands here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one request, sizes in bytes; an event over its own bound is refused alone."""

    request_bytes: int = 4 * 1024 * 1024
    merged_bytes: int = 8 * 1024 * 1024
    event_bytes: int = 256 * 1024
    events: int = 2_500
    depth: int = 64
    message_id_characters: int = 256
    id_characters: int = 1_024
    original_bytes: int = 64 * 1024


DEFAULT = Bounds()
