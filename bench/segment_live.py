"""All hundred rules of one person, from the day states that the live loop keeps, without I/O.

Run: `python -m bench.segment_live`. The budget is a millisecond.
"""

import time
from zoneinfo import ZoneInfo

from bench.segment_rules import KINDS, NAMES, rules
from stamgast.segments.language.buckets import DayBuckets, added, measures_of
from stamgast.segments.language.rules import RuleBook
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now

NOW = Now(1_795_262_400_000, ZoneInfo("UTC"))
DAY_MS = 86_400_000


def one_person(rounds: int = 300) -> None:
    """All rules of one person, from day states, as the live loop asks them."""
    listed = rules()
    book, measures = RuleBook(listed), measures_of(rule.tree for rule in listed)
    columns = {
        "traits": {"city": "Delft", "age": 33, "plan": "o12", "score": 40},
        "consent": {"email": True},
        "orders": {"count": 12, "revenue": 432.1, "currency": "EUR"},
        "rfm": {"segment": "loyal", "r": 4, "f": 3, "m": 5},
        "first_at": NOW.ms - 700 * DAY_MS,
        "last_at": NOW.ms - 3 * DAY_MS,
    }
    events = [
        {
            "message_key": f"m{place}",
            "event_at": NOW.ms - place * DAY_MS // 2,
            "event": NAMES[place % 6],
            "properties": {"category": KINDS[place // 6 % 6]},
        }
        for place in range(400)
    ]
    days = added({}, measures.values(), events, View(columns, DayBuckets({}), NOW))
    began = time.process_time()
    for _ in range(rounds):
        book.evaluate(View(columns, DayBuckets(days), NOW))
    spent = (time.process_time() - began) / rounds * 1_000
    print(f"\nOne person, {len(listed)} rules, {len(events)} events in day states: {spent:.2f} ms")


if __name__ == "__main__":
    one_person()
