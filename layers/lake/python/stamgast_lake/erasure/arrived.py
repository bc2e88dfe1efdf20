"""Dropped files that are new: one whose name spells an erased identifier gets another name."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from stamgast.erasure.file_names import renamed_by_keys
from stamgast.erasure.naming import Naming
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake


def without_names(lake: Lake, arrived: Iterable[ImportInput]) -> Iterator[ImportInput]:
    """The files, each under a key that spells nobody whose tombstone stands, its versions gone.

    So nothing of a run (its list, the ledger, its documents) ever holds such a name.
    """
    naming = Naming(lake.workspace().identity, lake.keyring())
    objects = Objects(lake.s3, lake.bucket)

    def standing(keys: Collection[str]) -> Collection[str]:
        return lake.tombstones.read(keys).keys()

    for one in arrived:
        key = renamed_by_keys(one.key, standing, naming)
        if key == one.key:
            yield one
            continue
        tag = objects.put(key, objects.body(one.key))
        objects.drop([one.key])
        yield replace(one, key=key, etag=tag)
