"""Dropped files that are new: one whose name spells an erased identifier gets another name."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from stamgast.erasure.file_names import renamed_by_keys
from stamgast.erasure.naming import Naming
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.imports.mapping import mapping_for
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake


def mapped_alike(lake: Lake, key: str) -> Callable[[str], bool]:
    """Whether a file under another key is mapped as it is under this one."""

    def mapped(key: str) -> object:
        _, source_id, *path = key.split("/")
        source = lake.workspace().sources.get(source_id)
        return mapping_for("/".join(path), source.imports) if source else None

    return lambda other: mapped(other) == mapped(key)


def without_names(lake: Lake, arrived: Iterable[ImportInput]) -> Iterator[ImportInput]:
    """The files, each under a key that spells nobody whose tombstone stands, its versions gone.

    So nothing of a run (its list, the ledger, its documents) ever holds such a name.
    """
    naming = Naming(lake.workspace().identity, lake.keyring())
    objects = Objects(lake.s3, lake.bucket)

    def standing(keys: Collection[str]) -> Collection[str]:
        return lake.tombstones.read(keys).keys()

    for one in arrived:
        key = renamed_by_keys(one.key, standing, naming, mapped_alike(lake, one.key))
        if key == one.key:
            yield one
            continue
        tag = objects.put(key, objects.body(one.key))
        objects.drop([one.key])
        yield replace(one, key=key, etag=tag)
