"""A transaction of pyiceberg that works its metadata out once for each change of it.

Theirs copies all of a table's metadata, every snapshot among it, each time that it is looked at:
some thirty times a commit, and a third of the time of one to a table with thirty snapshots.
"""

from typing import Any

from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableUpdate


class HeldTransaction(Transaction):
    """The same transaction; whoever reads its metadata shares it, as none of them changes it."""

    _held: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata with the changes that were staged up to now."""
        base: Any = self._table.metadata
        if self._held is None or self._held[0] is not base or self._held[1] is not self._updates:
            self._held = (base, self._updates, super().table_metadata)
        return self._held[2]
