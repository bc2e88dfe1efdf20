"""Cuts, lifts and their plans as JSON; a value is masked unless the reader may be told it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from stamgast.identity.changes import edge_moves
from stamgast.identity.cut_job import CutJob
from stamgast.identity.decision import Verdict
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.explain.masking import masked
from stamgast.identity.next_run import MOST_FORESEEN, Join, NextRun
from stamgast.identity.partition import Partition
from stamgast.identity.root import Root
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.survey import Survey
from stamgast.lookup.reader import Reader
from stamgast.moments import iso_of

Json: TypeAlias = dict[str, Any]
HOLDS = {
    Verdict.CUT: "Two different active persons carry each pair, by strong reads.",
    Verdict.LIFT: "No person carries the pair any more, by strong reads.",
}
ANEW = (
    "Traits, timeline and counts are right at once. RFM, computed traits, memberships and scores "
    "of these persons were deleted. The next run evaluates them anew, scores the next of their "
    "models, and settles what only the lake knows."
)
STILL_OPEN = (
    "Taken and archived, not yet done: others change these persons. It is taken up again within "
    "minutes; what became of it tell GET /v1/identity/jobs/{job} and stamgast identity jobs {job}."
)
STANDS = {
    Verdict.CUT: "this stands already.",
    Verdict.LIFT: "no cut of this pair stands.",
}
NOBODY_LEAVES = "nobody would stay behind, or no evidence names those that leave."
JOINS = (
    "Links that were refused until now join these in the next run: one side is known by nothing "
    "else any more. To keep them apart cut these links, too; leave cuts them as well with alone."
)
JOINS_NOBODY = "No link that is known live makes the next run join these with others."
PARTLY = (
    f"Not all was looked at: more than {MOST_FORESEEN} identifiers hang together, or others change "
    "them just now. The next run may join more."
)
PLANNED = "Nothing was written: ask the same without plan, and it is done."


@dataclass(frozen=True, slots=True)
class CutTelling:
    """Under which settings, with which values, to whom."""

    settings: IdentitySettings
    values: Mapping[str, str]
    reader: Reader

    def identifier(self, key: str) -> Json:
        """An identifier with its value, whole or masked; null where it is not known."""
        namespace = key.partition(":")[0]
        value = self.values.get(key)
        is_told = self.reader.may_name(namespace) and self.reader.may_see(
            f"identifiers.{namespace}"
        )
        shown = value if is_told or value is None else masked(namespace, value, self.settings)
        is_masked = value is not None and not is_told
        return {"key": key, "namespace": namespace, "value": shown, "is_masked": is_masked}

    def pairs(self, pairs: Iterable[Iterable[str]]) -> list[list[Json]]:
        """Each pair with both of its identifiers."""
        return [[self.identifier(key) for key in pair] for pair in pairs]


def keys_of_next_run(ahead: NextRun | None) -> set[str]:
    """Every identifier of whom the next run joins."""
    return {key for join in (ahead.joins if ahead else ()) for key in join.person.members}


def keys_of_job(job: CutJob) -> set[str]:
    """Every identifier that the answer about a job names."""
    persons = job.report["persons"] if job.report else ()
    return set(job.keys).union(*(person["identifiers"] for person in persons))


def answer_of_job(job: CutJob, telling: CutTelling, ahead: NextRun | None = None) -> Json:
    """What became of a request, and what the next run makes of it."""
    told: Json = {
        "job": job.job_id,
        "verdict": job.verdict.value,
        "state": "open" if job.report is None else "done",
        "by": job.by,
        "at": iso_of(job.at_ms),
        "reason": job.reason,
        "pairs": telling.pairs(job.pairs),
    }
    if job.report is None:
        return {**told, "note": STILL_OPEN.format(job=job.job_id)}
    was = set(job.before.values())
    holds = bool(job.report["holds"])
    return {
        **told,
        "superseded": telling.pairs(job.report["superseded"]),
        "persons": [_person(person, was, telling) for person in job.report["persons"]],
        "post_condition": {"holds": holds, "text": HOLDS[job.verdict]},
        "next_run": _next_run(ahead, was | set(job.report["homes"].values()), telling),
        "note": ANEW,
    }


def _next_run(ahead: NextRun | None, before: set[str], telling: CutTelling) -> Json | None:
    """Whom the next run joins, by which links; null where a request says nothing of it."""
    if ahead is None:
        return None
    note = JOINS if ahead.joins else JOINS_NOBODY if ahead.is_whole else PARTLY
    return {
        "joins": [_join(join, before, telling) for join in ahead.joins],
        "is_whole": ahead.is_whole,
        "note": note if ahead.is_whole or not ahead.joins else f"{JOINS} {PARTLY}",
    }


def _join(join: Join, before: set[str], telling: CutTelling) -> Json:
    links = [
        {
            "a": telling.identifier(link.pair[0]),
            "b": telling.identifier(link.pair[1]),
            "assurance": link.assurance.name.lower(),
        }
        for link in join.links
    ]
    person = _person(_told(join.person), before | join.of, telling)
    return {"person": person, "of": sorted(join.of), "links": links}


def _told(root: Root) -> Json:
    return {
        "person_id": root.person_id,
        "founded_ms": root.born.received_ms,
        "identifiers": sorted(root.members),
        "anchors": sorted(root.anchors),
    }


def _person(person: Mapping[str, Any], was: set[str], telling: CutTelling) -> Json:
    return {
        "person_id": person["person_id"],
        "founded_at": iso_of(person["founded_ms"]),
        "is_new": person["person_id"] not in was,
        "identifiers": [telling.identifier(key) for key in person["identifiers"]],
        "anchors": [telling.identifier(key) for key in person["anchors"]],
    }


def answer_unchanged(verdict: Verdict, pairs: Iterable[Pair], telling: CutTelling) -> Json:
    """What is told of a request that changes nothing."""
    pairs = sorted(pairs)
    return {
        "job": None,
        "verdict": verdict.value,
        "state": "unchanged",
        "pairs": telling.pairs(pairs),
        "note": f"Nothing to do: {_why_nothing(verdict, pairs)}",
    }


def _why_nothing(verdict: Verdict, pairs: Sequence[Pair]) -> str:
    """Why a request changes nothing; of those that leave there may be no pair at all."""
    return STANDS[verdict] if pairs else NOBODY_LEAVES


def keys_of_plan(plan: tuple[Survey, Partition] | None, pairs: Iterable[Pair]) -> set[str]:
    """Every identifier that a plan names."""
    found = set(plan[0].pointers) if plan else set()
    return found.union(*pairs)


def answer_of_plan(
    plan: tuple[Survey, Partition] | None,
    pairs: Iterable[Pair],
    verdict: Verdict,
    telling: CutTelling,
    *,
    is_standing: bool,
    ahead: NextRun | None = None,
) -> Json:
    """The persons that would be, the links that would change, and what the next run would join."""
    pairs = sorted(pairs)
    unchanging = f"Nothing would change: {_why_nothing(verdict, pairs)}"
    note = unchanging if is_standing else PLANNED
    told: Json = {"verdict": verdict.value, "pairs": telling.pairs(pairs), "note": note}
    if plan is None:
        absent = sorted({k for p in pairs for k in p})
        return {**told, "persons": [], "edges": [], "absent": absent, "next_run": None}
    found, would_be = plan
    return {
        **told,
        "persons": list(_persons(found, would_be, telling)),
        "absent": sorted({key for pair in pairs for key in pair} - found.pointers.keys()),
        "edges": [_edge(found.edges[edge.pair], edge, telling) for edge in edge_moves(*plan)],
        "next_run": _next_run(ahead, set(found.roots), telling),
    }


def _persons(found: Survey, would_be: Partition, telling: CutTelling) -> Iterator[Json]:
    for _, root in sorted(would_be.targets.items()):
        yield _person(_told(root), set(found.roots), telling)


def _edge(was: Edge, becomes: Edge, telling: CutTelling) -> Json:
    a, b = (telling.identifier(key) for key in was.pair)
    why = becomes.why.value if becomes.why else None
    return {"a": a, "b": b, "was": was.state.value, "becomes": becomes.state.value, "why": why}
