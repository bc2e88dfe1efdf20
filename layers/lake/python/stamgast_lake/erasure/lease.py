"""The lease of runs, as work on requests asks for it."""

from typing import Protocol


class Lease(Protocol):
    """Who holds it is the only one to change what runs read."""

    def acquire(self, run_id: str) -> int | None:
        """The number under which this work holds it; None while a run does."""
        ...

    def renew(self, run_id: str, seq: int) -> None:
        """Holds it for another full span."""
        ...

    def release(self, run_id: str, seq: int) -> None:
        """Gives it back."""
        ...
