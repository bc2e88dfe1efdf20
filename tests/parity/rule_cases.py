"""Generated rules, as text, and generated people: nulls, mixed types, zones, boundaries."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from stamgast.segments.language.windows import Now
from tests.parity.rule_world import Happening, Someone

ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# Around the changes of clocks in Amsterdam, New York and Lord Howe Island, and any other day.
NEAR_MS = (1_774_746_000_000, 1_792_890_000_000, 1_772_953_200_000, 1_775_314_800_000)
WORDS = ("wine", "Wine", "café", "ÉTÉ", "a%b", "a_b", "", "ß", "İx", "Σς", "😀", "it's", '"q"')
TIMES = (
    "2026-03-29",
    "2026-03-28T23:30:00Z",
    "2026-10-25 00:30:00+01:00",
    "2026-02-30",
    "1999-12-31",
)
TRAITS = ("a", "b", "tags", "day", "addr.city", '"odd name"')
NAMES = ("Product Viewed", "Order Completed", "Signed Up")

texts = st.sampled_from((*WORDS, *TIMES, "7"))
numbers = st.sampled_from((0, 1, 2, 3, -1, 0.1, 2.5, 1.1, 7, 10**17, 1e300, 12.34))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.fixed_dictionaries({"city": scalars}))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


literals = st.one_of(
    st.sampled_from(("0", "1", "2", "3", "0.1", "2.5", "-1", "12.34", "1e15")),
    texts.map(quoted),
    st.sampled_from(("true", "false")),
)
traits = st.sampled_from(TRAITS).map(lambda name: f"traits.{name}")
windows = st.sampled_from(
    (
        *("", "last 1 day", "last 2 days", "last 1 week", "last 30 days", "last 1 hour"),
        *("last 24 hours", "last 72 hours", "between 1 and 2 days ago", "between 0 and 1 days ago"),
        *("between 1 and 2 weeks ago", "since today - 3 days", "since date '2026-03-29'"),
        *("since today - 1 month", "lifetime"),
    )
)
dates = st.sampled_from(
    (
        *("today", "today - 2 days", "date '2026-03-29'", "rfm.last_order_on", "date(last_at)"),
        *("date(traits.day)", "date(traits.day) + 1 month", "date(now() - 5 hours)"),
        *("rfm.last_order_on - 1 year", "today - 1 week", "rhythm.late_since"),
    )
)
moments = st.sampled_from(("now()", "last_at", "first_at", "now() - 24 hours", "last_at + 3 days"))
operators = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))


@st.composite
def filters(draw: st.DrawFn, depth: int = 1) -> str:
    """A condition over one event."""
    kind = draw(st.sampled_from("eeepptcx" if depth else "eepptc"))
    op = draw(operators)
    match kind:
        case "e":
            return f"event = {quoted(draw(st.sampled_from(NAMES)))}"
        case "p":
            return f"properties.{draw(st.sampled_from(('x', 'y')))} {op} {draw(_comparable(op))}"
        case "t":
            return draw(
                st.sampled_from(
                    (
                        *("event_at >= now() - 36 hours", "date(event_at) = today - 1 day"),
                        *("order.revenue > 5", "campaign.source = 'mail'", "page.x is null"),
                        *("order.currency = 'JPY'", "length(event) > 9", "event is not null"),
                    )
                )
            )
        case "c":
            return f"{draw(texts.map(quoted))} in products.category"
    word = draw(st.sampled_from(("and", "or")))
    told = f"{draw(filters(depth=0))} {word} {draw(filters(depth=0))}"
    return draw(st.sampled_from((f"({told})", f"not ({told})", told)))


def _comparable(op: str) -> st.SearchStrategy[str]:
    return literals if op in ("=", "!=") else literals.filter(lambda t: t not in ("true", "false"))


@st.composite
def measures(draw: st.DrawFn) -> str:
    """A number made of events."""
    function = draw(st.sampled_from(("count", "sum", "avg", "min", "max", "count_distinct")))
    args = [] if function == "count" else [draw(st.sampled_from(("properties.x", "properties.y")))]
    args += [one for one in (draw(st.one_of(st.just(""), filters())), draw(windows)) if one]
    if draw(st.integers(0, 5)) == 0:
        return f"orders.{draw(st.sampled_from(('total', 'count', 'average')))}_2d"
    return f"{function}({', '.join(args)})"


@st.composite
def amounts(draw: st.DrawFn, depth: int = 2) -> str:
    """A number."""
    kind = draw(st.integers(0, 7 if depth else 5))
    match kind:
        case 0:
            return draw(st.sampled_from(("1", "2.5", "0", "-3", "0.1")))
        case 1:
            return draw(
                st.sampled_from(("orders.count", "orders.revenue", "rfm.r", "rhythm.slowness"))
            )
        case 2:
            return draw(measures())
        case 3:
            return f"days_since({draw(dates)})"
        case 4:
            return f"{draw(st.sampled_from(('abs', 'floor')))}({draw(traits)})"
        case 5:
            inner = draw(st.sampled_from(("size(traits.tags)", "length(traits.a)", "traits.b + 0")))
            return draw(
                st.sampled_from((inner, f"(({draw(dates)}) - ({draw(dates)}))", "month(today)"))
            )
    left, right = draw(amounts(depth - 1)), draw(amounts(depth - 1))
    return f"({left} {draw(st.sampled_from('+-*/'))} {right})"


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    """A rule."""
    if depth and draw(st.integers(0, 2)) == 0:
        word = draw(st.sampled_from((" and ", " or ")))
        parts = draw(st.lists(conditions(depth - 1), min_size=2, max_size=3))
        told = word.join(f"({part})" for part in parts)
        return draw(st.sampled_from((told, f"not ({told})", f"({told}) is null")))
    op, trait = draw(operators), draw(traits)
    match draw(st.integers(0, 13)):
        case 0:
            return f"{trait} {op} {draw(_comparable(op))}"
        case 1:
            return f"{trait} {op} {draw(traits)}"
        case 2:
            return f"{draw(amounts())} {op} {draw(amounts())}"
        case 3:
            return f"({draw(dates)}) {op} {draw(st.one_of(dates, moments))}"
        case 4:
            return f"{draw(moments)} {op} {draw(moments)}"
        case 5:
            among = f"({draw(literals)}, {draw(literals)})"
            return f"{trait} {draw(st.sampled_from(('in', 'not in')))} {among}"
        case 6:
            return f"{trait} between {draw(texts.map(quoted))} and {draw(texts.map(quoted))}"
        case 7:
            like = draw(st.sampled_from(("like", "ilike", "not like")))
            return f"{trait} {like} {quoted(draw(st.sampled_from(PATTERNS)))}"
        case 8:
            return f"{trait} is {draw(st.sampled_from(('null', 'not null', 'true', 'not false')))}"
        case 9:
            return f"{draw(st.one_of(literals, traits))} in traits.tags"
        case 10:
            steps = draw(st.lists(filters(), min_size=1, max_size=3))
            within = draw(st.sampled_from(("", "within 2 days", "within 30 hours")))
            chained = " then ".join(f"({step})" for step in steps)
            return f"did {chained} {within if len(steps) > 1 else ''} {draw(windows)}"
        case 11:
            return f"did ({draw(filters())}) {draw(windows)} and not ({draw(filters())}) since"
        case 12:
            side = draw(st.sampled_from(("first", "last")))
            return f"{side}(properties.x, {draw(filters())}) {op} {draw(_comparable(op))}"
    return draw(
        st.sampled_from(
            (
                *("consent.email is true", "consent.email", "not consent.email", "true"),
                *("rfm.segment = 'loyal'", "coalesce(traits.a, traits.b) = 1", "traits.a"),
                *("coalesce(traits.a, 'none') = 'none'", "lower(traits.a) = 'wine'"),
                *("lifecycle = 'late'", "lifecycle != 'prospect'", "rhythm.usual_days > 2"),
                *("last_at is null", "traits.day >= today - 400 days", "size(traits.tags) > 1"),
            )
        )
    )


PATTERNS = ("%", "w%", "_ine", "%é", "a\\%b", "a\\_b", "%\\%%", "", "i%", "σς", "%ß%", "_")


@st.composite
def nows(draw: st.DrawFn) -> Now:
    """A moment and a zone, often near a change of the clocks."""
    near = draw(st.sampled_from((*NEAR_MS, 1_780_000_000_000)))
    hours = draw(st.integers(-72, 72))
    return Now(
        near + hours * 3_600_000 + draw(st.integers(-1, 1)), ZoneInfo(draw(st.sampled_from(ZONES)))
    )


@st.composite
def happenings(draw: st.DrawFn, now: Now, key: str) -> Happening:
    """An event before, at or a little after now, often at the edge of an hour or a day."""
    hours = draw(st.one_of(st.integers(-3, 80), st.integers(0, 24 * 40)))
    at_ms = now.ms - hours * HOUR_MS
    if draw(st.booleans()):
        at_ms = at_ms // HOUR_MS * HOUR_MS
    name = draw(st.sampled_from((*NAMES, None)))
    is_order = name == "Order Completed" and draw(st.booleans())
    return Happening(
        key,
        at_ms + draw(st.integers(-1, 1)),
        name,
        draw(st.dictionaries(st.sampled_from(("x", "y")), values, max_size=2)),
        draw(st.integers(-500, 5_000)) if is_order else None,
        draw(st.sampled_from(("EUR", "JPY", "KWD"))),
        draw(st.one_of(st.none(), st.lists(st.one_of(st.none(), texts), max_size=2))),
    )


@st.composite
def people(draw: st.DrawFn, now: Now) -> list[Someone]:
    """A few persons."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        count = draw(st.integers(0, 6))
        keys = [f"m{number}{place}" for place in range(count)]
        moment = st.one_of(st.none(), st.integers(now.ms - 3 * DAY_MS, now.ms + 1_000))
        found.append(
            Someone(
                f"p{number}",
                [draw(happenings(now, key)) for key in keys],
                draw(_documents()),
                draw(st.dictionaries(st.just("email"), st.booleans())),
                draw(st.integers(0, 3)),
                draw(st.integers(0, 9_999)),
                draw(st.sampled_from(("EUR", "JPY", "KWD", None))),
                draw(moment),
                draw(moment),
                draw(st.sampled_from(("loyal", None))),
                draw(st.sampled_from((1, 5, None))),
                draw(st.one_of(st.none(), st.just(now.today), st.just(_month_end(now)))),
            )
        )
    return found


def _documents() -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(("a", "b", "tags", "day", "addr", "odd name"))
    return st.dictionaries(names, values, max_size=6)


def _month_end(now: Now) -> date:
    return now.today.replace(day=1) - timedelta(days=1)
