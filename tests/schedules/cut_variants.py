"""Variants of un-merging, each with one of its rules left out: every one must fail."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import Requests
from stamgast.identity.cutting import Cutter
from stamgast.identity.edge import Pair
from stamgast.identity.live import Settlement
from stamgast.identity.survey import Survey
from tests.schedules.cut_world import CUTTING
from tests.schedules.identity_world import Rules


def acknowledged_at_once(cutter: Cutter, job: CutJob) -> dict[str, Any]:
    """A job is told to be done after one try, without a look at what stands."""
    found = survey_of_job(cutter, job)
    if found is not None:
        cutter._step(found, job, job.pairs)
    homes = dict(found.home) if found else {}
    return {"persons": [], "homes": homes, "holds": True, "superseded": []}


def survey_of_job(cutter: Cutter, job: CutJob) -> Survey | None:
    return cutter._survey(job.keys, job, follows=False)


def not_archived(cutter: Cutter, job: CutJob) -> None:
    """A decision that no rebuild could repeat."""


def one_of_many(requests: Requests, pairs: Sequence[Pair], *told: Any) -> CutJob | None:
    """Of all links that cross, one is decided."""
    job = job_of_request(requests, pairs, *told)
    return replace(job, decisions=job.decisions[:1], stars=job.stars[:1]) if job else None


job_of_request = Requests.job
CUTTING_MODULE = "stamgast.identity.cutting"
VARIANTS: dict[str, Rules] = {
    "acknowledged without a check": replace(
        CUTTING,
        patches=(
            (f"{CUTTING_MODULE}.Cutter._settle", acknowledged_at_once),
            (f"{CUTTING_MODULE}._changes", lambda *_: ()),
        ),
    ),
    "live edges are not read": replace(
        CUTTING,
        patches=(("stamgast_aws.identity_store.DynamoIdentityStore.edges_from", lambda *_: []),),
    ),
    "absent identifiers are not minted": replace(
        CUTTING, patches=((f"{CUTTING_MODULE}.mint_apart", lambda *_: Settlement()),)
    ),
    "not archived": replace(
        CUTTING, patches=((f"{CUTTING_MODULE}.Cutter._archive", not_archived),)
    ),
}
LEAVING: dict[str, Rules] = {
    "one pair of many is decided": replace(
        CUTTING, patches=(("stamgast.identity.cut_request.Requests.job", one_of_many),)
    ),
}
