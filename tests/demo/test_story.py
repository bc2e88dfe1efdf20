"""The demo's input: real purchases, and a generated layer that is the same on every run."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from segment.analytics.client import Client

from stamgast.identity.identifiers import Identifier, normalise
from stamgast.identity.settings import DEFAULT
from stamgast_cli.demo import history, live, purchases, sent
from stamgast_cli.demo.casting import Story, expected_last, prepare
from stamgast_cli.demo.households import generate
from stamgast_cli.demo.story import NOBODY
from stamgast_cli.demo.truth import agreement, owners_of


@pytest.fixture(scope="module")
def told(shop: Path) -> Story:
    """The whole story of the small shop, two households of it live."""
    return prepare(2, shop)


@pytest.mark.parametrize("days", range(14))
def test_the_last_purchase_lands_in_the_week_before_today(days: int) -> None:
    last, today = datetime(2018, 1, 1, 4), date(2026, 11, 22) + timedelta(days=days)  # noqa: DTZ001
    moved = last + purchases.shift_of(last, today)
    assert moved.date() < today
    assert today - moved.date() <= timedelta(days=7)
    assert moved.weekday() == last.weekday()


def test_revenue_is_the_sum_of_the_tills_lines_to_the_cent(shop: Path) -> None:
    told = purchases.read(date(2026, 11, 22), shop)
    assert [basket.revenue_minor for basket in told.baskets[:2]] == [10, 610]
    assert len(told.baskets) == 40


def test_the_generated_layer_is_the_same_on_every_run() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert generate([1, 2, 3], first, last) == generate([3, 2, 1], first, last)


def test_every_generated_identifier_is_one_that_ingestion_takes_as_it_is(told: Story) -> None:
    for act in (*told.past, *told.present):
        for namespace, value in act.identifiers:
            normal = normalise(DEFAULT.by_name[namespace], value, DEFAULT)
            assert normal == Identifier(namespace, value)


def test_every_event_has_what_ingestion_requires(told: Story) -> None:
    for act in (*told.past, *told.present):
        assert act.user_id or act.anonymous_id
    ids = [act.message_id for act in (*told.past, *told.present)]
    assert len(ids) == len(set(ids))


def test_for_models_everybodys_last_weeks_are_there_and_the_same_few_come_live(
    told: Story, shop: Path
) -> None:
    whole = prepare(2, shop, is_whole=True)
    assert whole.live == told.live
    assert whole.present == told.present
    bought = Counter(basket.household for basket in whole.purchases.baskets)
    acts = [*whole.past, *whole.present]
    assert Counter(act.household for act in acts if act.basket) == bought
    fewer = Counter(act.household for act in (*told.past, *told.present) if act.basket)
    assert sum(fewer.values()) < sum(bought.values())


def test_only_sampled_households_come_live_and_only_their_last_weeks(told: Story) -> None:
    assert {act.household for act in told.present} <= told.live
    assert len([act for act in told.past if act.basket]) == 34


def test_the_files_hold_every_basket_the_duplicates_and_the_bad_rows(
    told: Story, shop: Path, tmp_path: Path
) -> None:
    written = history.write(told.past, tmp_path, shop)
    rows = [row for file in written.files[:-1] for row in pq.read_table(file).to_pylist()]
    baskets = [act for act in told.past if act.basket]
    assert len(rows) == len(baskets) * 3
    nameless = [row for row in rows if not row["user_id"] and not row["anonymous_id"]]
    assert len(nameless) == len(baskets)
    copies = Counter(row["message_id"] for row in rows if row not in nameless)
    assert set(copies.values()) == {2}
    assert rows[0]["products"][0]["category"] == "BREAD"
    lines = written.files[-1].read_bytes().splitlines()
    assert len(lines) == len(told.past) - len(baskets) + history.BROKEN
    assert written.rows == len(rows) + len(lines)
    assert written.rows == len([r for r in sent.rows(told.past, []) if r["source"] == "shop"])


def test_every_live_event_goes_through_segments_own_client(told: Story, shop: Path) -> None:
    client = Client("key", send=False)
    lines = purchases.products_of([a.basket.basket_id for a in told.present if a.basket], shop)
    for act in told.present:
        live.say(client, act, lines)
    assert set(lines) == {act.basket.basket_id for act in told.present if act.basket}


def test_a_live_person_is_waited_for_by_the_anchor_of_their_last_event(told: Story) -> None:
    expected = expected_last(told.present)
    assert expected
    assert not any(named.endswith(f":{NOBODY}") for named in expected)


def test_truth_counts_pairs_and_leaves_shared_identifiers_out() -> None:
    owners = {
        ("user_id", "a"): frozenset({1}),
        ("email", "a@x.nl"): frozenset({1}),
        ("user_id", "b"): frozenset({2}),
        ("email", "b@x.nl"): frozenset({2}),
        ("device_id", "kiosk"): frozenset({1, 2}),
    }
    right = {named: str(min(whose)) for named, whose in owners.items()}
    perfect = agreement(owners, right)
    assert (perfect.precision, perfect.recall, perfect.exact) == (1.0, 1.0, 2)
    assert perfect.shared_identifiers == 1
    merged = agreement(owners, dict.fromkeys(owners, "all"))
    assert (merged.precision, merged.recall, merged.exact) == (pytest.approx(2 / 6), 1.0, 0)
    apart = agreement(owners, {})
    assert (apart.precision, apart.recall, apart.exact) == (1.0, 0.0, 0)


def test_owners_are_counted_over_all_events(told: Story) -> None:
    owners = owners_of([*told.past, *told.present])
    assert all(whose <= set(range(1, 7)) for whose in owners.values())
