"""The harness interleaves at every call, repeats a seed exactly, and finds a known race."""

import pytest

from tests.fakes.dynamodb import DynamoDB, Fault
from tests.schedules.harness import OutOfFuelError, Schedule

KEY = {"PK": {"S": "counter"}, "SK": {"S": "@"}}


def read_then_write(client: DynamoDB, guarded: bool) -> None:
    while True:
        item = client.get_item(TableName="t", Key=KEY, ConsistentRead=True).get("Item", {})
        held = int(item.get("n", {"N": "0"})["N"])
        condition = {
            "ConditionExpression": "attribute_not_exists(n) OR n = :old",
            "ExpressionAttributeValues": {":old": {"N": str(held)}},
        }
        try:
            client.put_item(
                TableName="t",
                Item={**KEY, "n": {"N": str(held + 1)}},
                **(condition if guarded else {}),
            )
        except client.exceptions.ConditionalCheckFailedException:
            continue
        return


def counted(seed: int, guarded: bool) -> int:
    client = DynamoDB("t")
    schedule = Schedule(seed, client)
    for n in range(3):
        schedule.start(f"worker {n}", lambda: read_then_write(client, guarded))
    schedule.run()
    item = client.item("t", "counter", "@")
    assert item is not None
    return int(item["n"]["N"])


def test_a_conditional_write_survives_every_interleaving() -> None:
    assert {counted(seed, guarded=True) for seed in range(200)} == {3}


def test_an_unconditional_write_is_caught_losing_updates() -> None:
    assert min(counted(seed, guarded=False) for seed in range(200)) < 3


def test_the_same_seed_gives_the_same_schedule() -> None:
    first = [counted(seed, guarded=False) for seed in range(50)]
    assert first == [counted(seed, guarded=False) for seed in range(50)]


def test_a_schedule_that_cannot_end_runs_out_of_fuel() -> None:
    client = DynamoDB("t")
    schedule = Schedule(1, client, fuel=50)

    def forever() -> None:
        while True:
            client.get_item(TableName="t", Key=KEY)

    schedule.start("forever", forever)
    with pytest.raises(OutOfFuelError):
        schedule.run()
    schedule.close()


def test_a_lost_reply_leaves_the_effect() -> None:
    client = DynamoDB("t")
    schedule = Schedule(1, client, faults={Fault.LOST_REPLY: 1.0}, expected=(Exception,))
    process = schedule.start(
        "writer", lambda: client.put_item(TableName="t", Item={**KEY, "n": {"N": "1"}})
    )
    schedule.run()
    assert process.error is not None
    assert client.item("t", "counter", "@") is not None


def test_a_crashed_process_does_not_finish() -> None:
    client = DynamoDB("t")
    schedule = Schedule(1, client)
    process = schedule.start("worker", lambda: read_then_write(client, guarded=True))
    schedule.turn()
    schedule.crash(process)
    schedule.run()
    assert process.is_crashed
    assert client.item("t", "counter", "@") is None
