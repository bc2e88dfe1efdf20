"""The state machine `models`: what is due is trained, scored by shards and stored."""

from tests.infra.test_run import machine_named, states


def test_with_no_model_due_the_run_ends_at_its_first_state() -> None:
    there = states("models")
    assert there["PrepareModels"]["Next"] == "AnyModelDue"
    assert there["AnyModelDue"]["Choices"][0]["Next"] == "TrainModels"
    assert there["AnyModelDue"]["Default"] == "ModelsDone"


def test_models_are_trained_registered_scored_and_stored_in_this_order() -> None:
    there = states("models")
    assert there["TrainModels"]["Next"] == "RegisterModels"
    assert there["AreModelsRegistered"]["Default"] == "ScoreProfiles"
    assert there["ScoreProfiles"]["Next"] == "StoreScores"
    assert there["AreScoresStored"]["Default"] == "AreAllTrained"
    assert there["AreAllTrained"]["Default"] == "ModelsDone"


def test_a_failed_training_lets_the_others_go_on_and_fails_the_run_at_its_end() -> None:
    there = states("models")
    each = there["TrainModels"]["ItemProcessor"]["States"]
    assert each["TrainModel"]["Catch"][0]["Next"] == "NotTrained"
    [lost] = there["AreAllTrained"]["Choices"]
    assert (lost["Variable"], lost["Next"]) == ("$.failed[0]", "ModelsFailed")


def test_a_failed_shard_fails_the_run_before_anything_is_stored() -> None:
    there = states("models")
    each = there["ScoreProfiles"]["ItemProcessor"]["States"]
    assert "Catch" not in each["ScoreProfilesShard"]
    assert [catch["Next"] for catch in there["ScoreProfiles"]["Catch"]] == ["ModelsFailed"]


def test_who_commits_waits_while_another_run_holds_the_lease_and_then_gives_up() -> None:
    there = states("models")
    for check, task in (
        ("AreModelsRegistered", "RegisterModels"),
        ("AreScoresStored", "StoreScores"),
    ):
        wait, give_up = there[check]["Choices"]
        assert there[wait["Next"]]["Next"] == task
        assert give_up["Next"] == "ModelsFailed"


def test_maps_hand_on_names_and_shards_and_keep_no_results() -> None:
    there = states("models")
    for name in ("TrainModels", "ScoreProfiles"):
        assert there[name]["ResultPath"] is None
        assert there[name]["MaxConcurrency"] == 4
    assert machine_named("models")["LoggingConfiguration"]["IncludeExecutionData"] is False
