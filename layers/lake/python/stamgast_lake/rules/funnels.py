"""A funnel in SQL: each step keeps the latest start of a chain that ended strictly before."""

from stamgast.segments.language.tree import Did
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.aggregates import PLAIN, bounded
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import guard_of

BEFORE = "range between unbounded preceding and 1 preceding"
EARLIER = f"over (partition by person_id order by happened_ms {BEFORE})"


def funnel_sql(node: Did, now: Now, events: str) -> str:
    """A SELECT of the persons who went through all steps in time."""
    extractions = Extractions(now.zone.key, "f")
    steps = []
    for step in node.steps:
        within = Expressions(now, extractions, _never, guard_of(step))
        steps.append(f"coalesce({within.sql(step)}, false)")
    where = " and ".join(["person_id is not null", *bounded(node.window, now)])
    rows = extractions.wrapped(f"{events} where {where}", PLAIN)
    flags = ", ".join(f"{step} as s{place}" for place, step in enumerate(steps))
    told = f"select person_id, epoch_ms(event_at) as happened_ms, {flags} from ({rows}) event"
    told = f"select *, case when s0 then happened_ms end as d0 from ({told}) step"
    for place in range(1, len(steps)):
        chain = f"case when s{place} then max(d{place - 1}) {EARLIER} end as d{place}"
        told = f"select *, {chain} from ({told}) step"
    last = f"d{len(steps) - 1}"
    in_time = "true" if node.within_ms is None else f"happened_ms - {last} <= {node.within_ms}"
    return f"select distinct person_id from ({told}) chain where {last} is not null and {in_time}"


def _never(node: object) -> str:
    raise TypeError(f"{type(node).__name__} is no part of an event's filter")
