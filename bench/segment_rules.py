"""The hundred rules of the bench of segments, each in our language and twice by hand."""

from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.rules import Rule, rules_of

CITIES = ("Delft", "Utrecht", "Leiden", "Gouda", "Breda", "Assen", "Hoorn", "Tilburg")
NAMES = ("Product Viewed", "Order Completed", "Signed Up", "Cart Viewed", "Mail Opened", "Searched")
KINDS = ("Wine", "Beer", "Cheese", "Bread", "Fruit", "Fish")
CELLS = ("champions", "loyal", "at_risk", "new", "lost")


Attributes = dict[str, tuple[str, str, str]]


def attribute_rules() -> Attributes:
    """Name to the rule, the same by hand in SQL, and the same by hand in pandas."""
    made: Attributes = {}
    for n in range(10):
        city, cell = CITIES[n % 8], CELLS[n % 5]
        made |= _of_traits(n, city) | _of_standing(n, cell)
    return made


def _of_traits(n: int, city: str) -> Attributes:
    return {
        f"city{n}": (
            f"traits.city = '{city}' and orders.count > {n}",
            f"json_extract_string(traits, '$.city.value') = '{city}' and orders > {n}",
            f"(p.city == '{city}') & (p.orders > {n})",
        ),
        f"age{n}": (
            f"traits.age between {20 + n} and {40 + n} and consent.email is true",
            (
                "try_cast(json_extract_string(traits, '$.age.value') as double) between"
                f" {20 + n} and {40 + n} and json_extract_string(consent, '$.email') = 'true'"
            ),
            f"p.age.between({20 + n}, {40 + n}) & (p.email == True)",
        ),
        f"plan{n}": (
            f"traits.plan like '%o{n % 3}%' or traits.score >= {10 * n}",
            (
                f"json_extract_string(traits, '$.plan.value') like '%o{n % 3}%' or"
                f" try_cast(json_extract_string(traits, '$.score.value') as double) >= {10 * n}"
            ),
            f"p.plan.str.contains('o{n % 3}', regex=False) | (p.score >= {10 * n})",
        ),
        f"none{n}": (
            (f"not (traits.city = '{city}') and traits.age is not null and orders.count < {4 * n}"),
            (
                f"not (json_extract_string(traits, '$.city.value') = '{city}') and"
                f" json_extract_string(traits, '$.age.value') is not null and orders < {4 * n}"
            ),
            f"p.city.notna() & (p.city != '{city}') & p.age.notna() & (p.orders < {4 * n})",
        ),
    }


def _of_standing(n: int, cell: str) -> Attributes:
    return {
        f"cell{n}": (
            f"rfm.segment in ('{cell}', 'new') and rfm.r + rfm.f > {n}",
            f"segment in ('{cell}', 'new') and r + f > {n}",
            f"p.segment.isin(['{cell}', 'new']) & (p.r + p.f > {n})",
        ),
        f"last{n}": (
            f"last_at >= today - {10 + 20 * n} days and orders.revenue > {50 * n}",
            (
                "last_at >= timestamptz '2026-11-21 00:00:00+00'"
                f" - interval ({10 + 20 * n}) day and revenue_minor > {5000 * n}"
            ),
            (
                f"(p.last_at >= TODAY - pd.Timedelta(days={10 + 20 * n}))"
                f" & (p.revenue_minor > {5000 * n})"
            ),
        ),
        f"worth{n}": (
            f"orders.revenue / orders.count > {2 * n} and days_since(first_at) > {100 * n}",
            (
                f"revenue_minor / 100.0 / nullif(orders, 0) > {2 * n} and"
                f" date '2026-11-21' - cast(first_at as date) > {100 * n}"
            ),
            (
                f"(p.revenue_minor / 100 > {2 * n} * p.orders) & (p.orders > 0)"
                f" & ((TODAY - p.first_at).dt.days > {100 * n})"
            ),
        ),
    }


def event_rules() -> dict[str, tuple[str, str, int, int]]:
    """Name to event, category (or none), days and least number."""
    days = (1, 7, 14, 30, 90, 365)
    return {
        f"events{n}": (NAMES[n % 6], KINDS[n % 6] if n % 2 else "", days[n // 5], 1 + n % 3)
        for n in range(30)
    }


def rules() -> tuple[Rule, ...]:
    """The hundred, compiled."""
    texts = {name: told[0] for name, told in attribute_rules().items()}
    for name, (event, kind, days, least) in event_rules().items():
        where = f"event = '{event}'" + (f" and properties.category = '{kind}'" if kind else "")
        texts[name] = f"count({where}, last {days} days) >= {least}"
    return rules_of({name: compile_rule(text) for name, text in texts.items()})
