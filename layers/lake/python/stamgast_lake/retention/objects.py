"""Archives that end: objects of days past their limit, with every version that they had.

What no run has taken in stays, whatever its age: nothing is lost that nobody has read.
"""

from collections.abc import Iterator
from datetime import date

from stamgast_lake.erasure.objects import Objects, Version
from stamgast_lake.inputs import Listing, known
from stamgast_lake.lake import Lake

ARCHIVES = {"raw_events": "raw/", "rejected_events": "rejected/"}
IMPORTS, DAY = "imports", "date="


def end_objects(lake: Lake, today: date) -> int:
    """Takes away what is past its days; returns how many objects and files."""
    objects, past = Objects(lake.s3, lake.bucket), past_objects(lake, today)
    for gone in past.values():
        objects.drop_versions(gone)
    return sum(len({one.key for one in gone}) for gone in past.values())


def past_objects(lake: Lake, today: date) -> dict[str, list[Version]]:
    """The versions of what is past its days, by store; of stores that end alone."""
    retention, past = lake.workspace().retention, dict[str, list[Version]]()
    for store, prefix in ARCHIVES.items():
        before = retention.before(store, today)
        if before is not None:
            days = _days(lake, prefix, before)
            past[store] = [one for day in days for one in _of_day(lake, prefix, day)]
    before = retention.before(IMPORTS, today)
    return past | ({IMPORTS: _of_files(lake, before)} if before is not None else {})


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


def _of_day(lake: Lake, prefix: str, day: str) -> Iterator[Version]:
    read = known(lake.catalogue, {day}).keys()
    versions = Objects(lake.s3, lake.bucket).versions(f"{prefix}{DAY}{day}/")
    return (one for one in versions if one.key in read)


def _of_files(lake: Lake, before: date) -> list[Version]:
    objects = Objects(lake.s3, lake.bucket)
    read = known(lake.catalogue, None, kind="import")
    old = {
        one.key
        for one in Listing(lake.s3, lake.bucket).imports()
        if one.received_at[:10] < before.isoformat() and one.etag in read.get(one.key, ())
    }
    versions = (one for key in sorted(old) for one in objects.versions(key))
    return [one for one in versions if one.key in old]
