"""The bill is the sum of its lines, and idle it is what the README says."""

import json

import pytest
from typer.testing import CliRunner

from stamgast_cli.app import application
from stamgast_cli.bill.model import Volume, Work, fixed_lines, volume_lines
from stamgast_cli.bill.prices import LISTED, Check

STACK = [
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    *["AWS::CloudWatch::Alarm"] * 11,
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::Function",
]


def usd(volume: Volume, work: Work | None = None) -> float:
    return sum(line.usd for line in volume_lines(volume, work or Work()))


def test_an_idle_month_costs_two_to_four_dollars() -> None:
    idle = Volume(events=0, lookups=0, profiles=0, new_runs=0)

    assert 2 <= sum(line.usd for line in fixed_lines(STACK)) + usd(idle) <= 4


def test_fixed_charges_come_from_the_resources_and_the_first_dashboards_are_free() -> None:
    lines = {line.what: line.units for line in fixed_lines(STACK)}

    assert lines == {"KMS key": 1, "Secret": 1, "Alarm": 11}


@pytest.mark.parametrize("field", ["events", "lookups", "runs"])
def test_more_of_anything_costs_more(field: str) -> None:
    less, more = Volume(**{field: 500}), Volume(**{field: 5_000})

    assert usd(more) > usd(less)


def test_larger_requests_cost_less() -> None:
    assert usd(Volume(events_per_request=100)) < usd(Volume(events_per_request=1))


def test_a_measured_write_unit_takes_the_estimates_place() -> None:
    volume = Volume()

    saved = usd(volume, Work(write_units=2.9)) - usd(volume, Work(write_units=1.9))

    assert saved == pytest.approx(volume.events * 0.625e-6)


def test_each_identifier_of_an_event_and_each_line_of_the_audit_log_is_paid_for() -> None:
    lines = volume_lines(Volume(events=1_000, lookups=100), Work())
    told = {(line.stage, line.what): line.units for line in lines}

    assert told["erasure", "DynamoDB read unit"] == 2_000
    assert told["lookup", "DynamoDB write unit"] == 100


def test_each_price_names_what_it_was_checked_against_or_that_it_was_not() -> None:
    for name, price in LISTED.items():
        assert bool(price.source) == (price.check is not Check.NONE), name


def test_the_bill_says_how_much_of_it_rests_on_unchecked_prices() -> None:
    shown = CliRunner().invoke(application(), ["cost", "--json"])
    told = json.loads(shown.stdout)
    assert {price["check"] for price in told["prices"].values()} == set(Check)
    assert {line["what"] for line in told["lines"]} == set(told["prices"])
