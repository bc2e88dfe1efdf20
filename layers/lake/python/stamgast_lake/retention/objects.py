"""Archives that end: objects of days past their limit, with every version that they had.

What no run has taken in stays, whatever its age: nothing is lost that nobody has read.
"""

from collections.abc import Iterator
from datetime import date

from stamgast_lake.erasure.objects import Objects, Version
from stamgast_lake.inputs import Listing, known
from stamgast_lake.lake import Lake

ARCHIVES = {"raw_events": "raw/", "rejected_events": "rejected/"}
DAY = "date="


def end_objects(lake: Lake, today: date) -> int:
    """Takes away what is past its days; returns how many objects and files."""
    retention, ended = lake.workspace().retention, 0
    for store, prefix in ARCHIVES.items():
        before = retention.before(store, today)
        if before is not None:
            ended += sum(_end_day(lake, prefix, day) for day in _days(lake, prefix, before))
    before = retention.before("imports", today)
    return ended + (_end_files(lake, before) if before is not None else 0)


def _days(lake: Lake, prefix: str, before: date) -> Iterator[str]:
    """The days of an archive before a day, from the names of its folders alone."""
    pages = lake.s3.get_paginator("list_objects_v2").paginate(
        Bucket=lake.bucket, Prefix=prefix, Delimiter="/"
    )
    for page in pages:
        for told in page.get("CommonPrefixes", ()):
            day = told["Prefix"].removeprefix(prefix).removeprefix(DAY).rstrip("/")
            if day < before.isoformat():
                yield day


def _end_day(lake: Lake, prefix: str, day: str) -> int:
    objects = Objects(lake.s3, lake.bucket)
    read = known(lake.catalogue, {day}).keys()
    gone = [one for one in objects.versions(f"{prefix}{DAY}{day}/") if one.key in read]
    return _drop(objects, gone)


def _end_files(lake: Lake, before: date) -> int:
    objects = Objects(lake.s3, lake.bucket)
    read = known(lake.catalogue, None, kind="import")
    old = {
        one.key
        for one in Listing(lake.s3, lake.bucket).imports()
        if one.received_at[:10] < before.isoformat() and one.etag in read.get(one.key, ())
    }
    gone = [version for key in sorted(old) for version in objects.versions(key)]
    return _drop(objects, [one for one in gone if one.key in old])


def _drop(objects: Objects, gone: list[Version]) -> int:
    objects.drop_versions(gone)
    return len({one.key for one in gone})
