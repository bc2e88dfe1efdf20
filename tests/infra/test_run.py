"""The state machine `authoritative`: its order, and that a run is closed whatever happens."""

import json
import re
from typing import Any

from tests.infra.assembly import FUNCTIONS, assembly

STAGES = [
    "ImportFiles",
    "LoadEvents",
    "ResolveIdentity",
    "UnifyProfiles",
    "EvaluateSegments",
    "PublishProfiles",
]


def machine_named(name: str) -> dict[str, Any]:
    """Return the state machine of this name in production."""
    told: dict[str, Any] = next(
        machine
        for machine in assembly("prod").of_type("AWS::StepFunctions::StateMachine").values()
        if machine["StateMachineName"] == f"stamgast-prod-{name}"
    )
    return told


def states(name: str = "authoritative") -> dict[str, Any]:
    machine = machine_named(name)
    parts = machine["DefinitionString"]["Fn::Join"][1]
    text = "".join(
        part if isinstance(part, str) else json.dumps(part).replace('"', "'") for part in parts
    )
    told: dict[str, Any] = json.loads(text)["States"]
    return told


def test_a_run_with_nothing_new_ends_at_its_first_state() -> None:
    choice = states()["AnythingNew"]
    assert states()["OpenRun"]["Next"] == "AnythingNew"
    assert choice["Default"] == "Done"


def test_a_run_is_told_which_execution_it_is() -> None:
    assert states()["OpenRun"]["Parameters"] == {
        "input.$": "$",
        "execution.$": "$$.Execution.Id",
    }


def test_stages_follow_each_other_in_data_order_and_then_the_run_is_closed() -> None:
    there, way = states(), []
    state = there["AnythingNew"]["Choices"][0]["Next"]
    while state != "CloseRun":
        way.append(state)
        state = there[there[state]["Next"]]["Default"]
    assert way == STAGES


def test_every_stage_that_throws_or_answers_an_error_closes_the_run_as_failed() -> None:
    there = states()
    for stage in STAGES:
        [catch] = there[stage]["Catch"]
        assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "RunFailed")
        answered, _ = there[there[stage]["Next"]]["Choices"]
        assert (answered["Variable"], answered["Next"]) == ("$.error", "RunFailed")
    assert there["RunFailed"]["Next"] == "CloseFailedRun"
    assert there["CloseFailedRun"]["Next"] == "Failed"


def test_a_stage_that_has_more_to_do_is_called_again() -> None:
    there = states()
    for stage in STAGES:
        _, more = there[there[stage]["Next"]]["Choices"]
        assert more["Next"] == stage
        assert {"Variable": "$.more", "BooleanEquals": True} in more["And"]


def test_the_map_hands_on_references_and_keeps_no_results_in_the_payload() -> None:
    files = states()["ImportFiles"]
    assert files["MaxConcurrency"] == 2
    assert files["ResultPath"] is None
    assert files["ItemSelector"]["import.$"] == "$$.Map.Item.Value"


def test_execution_data_is_not_logged() -> None:
    machine = machine_named("authoritative")
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_the_machine_calls_the_alias_where_there_is_one() -> None:
    machine = machine_named("authoritative")
    called = re.findall(r"Live[0-9A-F]{8}", json.dumps(machine["DefinitionString"]))
    others = {name for name in FUNCTIONS if name.split("_")[-1] in ("events", "parked")}
    others |= {"look_up_profile", "explain_identity", "change_identity"}
    others |= {"pair_devices", "train_links", "link_records", "store_links"}
    others |= {"serve_segments", "compute_segments", "carry_out_rights"}
    others |= {"prepare_models", "train_model", "register_models", "score_profiles", "store_scores"}
    assert len(set(called)) == len(set(FUNCTIONS) - others | {"load_events"})
