"""The state machine `links`: only what is turned on runs, and storing waits for the lease."""

from tests.infra.test_run import machine_named, states


def test_devices_are_trained_and_stored_and_nothing_turned_on_ends_the_run() -> None:
    there = states("links")
    assert there["PairDevices"]["Next"] == "AreDevicesLinked"
    assert there["AreDevicesLinked"]["Choices"][0]["Next"] == "TrainLinks"
    assert there["AreDevicesLinked"]["Default"] == there["TrainLinks"]["Next"] == "AreRecordsLinked"
    assert there["AreRecordsLinked"]["Choices"][-1]["Next"] == "StoreLinks"
    assert there["AreRecordsLinked"]["Default"] == "LinksDone"


def test_storing_waits_while_another_run_holds_the_lease_and_then_gives_up() -> None:
    there = states("links")
    wait, give_up = there["AreLinksStored"]["Choices"]
    assert (wait["Next"], give_up["Next"]) == ("AnotherRun", "LinksFailed")
    assert there["AnotherRun"]["Next"] == "StoreLinks"
    assert there["AreLinksStored"]["Default"] == "LinksDone"


def test_every_state_that_throws_fails_the_run() -> None:
    for state in states("links").values():
        if state["Type"] == "Task":
            assert [catch["Next"] for catch in state["Catch"]] == ["LinksFailed"]


def test_execution_data_of_links_is_not_logged() -> None:
    assert machine_named("links")["LoggingConfiguration"]["IncludeExecutionData"] is False
