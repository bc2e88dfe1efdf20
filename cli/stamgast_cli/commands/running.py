"""`stamgast run`: start the authoritative loop and follow it."""

import json as json_module
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import StamgastError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

POLL_SECONDS = 1.0
SHOWN = ("execution", "seconds", "run_id", "moment", "inputs")
CONFLICTS = (
    "{conflicts} messages came again with another payload: the first copy stays. A file that is"
    " imported again under a corrected mapping changes nothing so: docs/raw.md, Files, says what"
    " to do."
)
FAULTS = ("lambdaFunctionFailedEventDetails", "taskFailedEventDetails")
WORKING = {"TaskStateEntered", "MapStateEntered"}
DONE = {"TaskSucceeded", "LambdaFunctionSucceeded"}
Everything = Annotated[
    bool, typer.Option("--everything", help="Publish all of it anew, into a view that was lost.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")]


class RunFailedError(StamgastError):
    """The state machine did not succeed; the last good state is still in place."""


class RunBusyError(StamgastError):
    """Another run holds the lease, so this one did nothing."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    wait: Wait = True, everything: Everything = False, stack: Stack = None, json: Json = False
) -> None:
    """Start the authoritative loop now and show each of its stages.

    Example: stamgast run --stack dev
    """
    output = Output(is_json=json)
    deployment = find(stack)
    arn = start(deployment, everything=everything)
    if not wait:
        output.facts({"execution": arn})
        return
    told = follow(deployment, arn, output)
    if json:
        output.document(told)
    else:
        _show(told, output)


def _show(told: Mapping[str, Any], output: Output) -> None:
    """Print how the run went, then what each stage counted, but for what it counted none of."""
    output.facts({name: told[name] for name in SHOWN if name in told})
    figures = told.get("figures", {})
    counted = [(stage.replace("_", " "), _counted(rest)) for stage, rest in figures.items()]
    counted = [row for row in counted if row[1]]
    if counted:
        output.rows(("stage", "figures"), counted)
    else:
        output.note("Nothing is new since the last run.")
    conflicts = figures.get("load_events", {}).get("conflict", 0)
    if conflicts:
        output.note(CONFLICTS.format(conflicts=f"{conflicts:,}"))


def _counted(figures: Mapping[str, Any]) -> str:
    told = ((name.replace("_", " "), value) for name, value in figures.items() if value)
    return ", ".join(f"{n} {v:,}" if isinstance(v, int | float) else f"{n} {v}" for n, v in told)


def start(deployment: Deployment, *, everything: bool = False) -> str:
    """Start an execution of the state machine and return its ARN."""
    now = datetime.now(UTC)
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output("StateMachineArn"),
        name=f"manual-{now:%Y%m%dT%H%M%S%f}",
        input=json_module.dumps({"everything": True} if everything else {}),
    )
    return str(answer["executionArn"])


NOTHING: Mapping[str, str] = {}


@dataclass(slots=True)
class Shown:
    """What is said of an execution: each state, and how much is done of one that has a list.

    `lists` names, by the state that works through it, the list in its input.
    """

    lists: Mapping[str, str]
    name: str = ""
    done: int = 0
    of: int = 0

    def says(self, event: Mapping[str, Any]) -> str | None:
        """What is to be told of an event of the history."""
        if event["type"] in WORKING:
            return self._entered(event["stateEnteredEventDetails"])
        if event["type"] == "MapStateExited":
            self.of = 0
        elif event["type"] in DONE and self.of:
            self.done += 1
            return self._counted()
        return None

    def _entered(self, entered: Mapping[str, Any]) -> str:
        of = self.lists.get(entered["name"])
        if of is None:
            return _named(entered)
        items = json_module.loads(entered["input"]).get(of, ())
        self.name, self.done, self.of = entered["name"], 0, len(items)
        return self._counted()

    def _counted(self) -> str:
        return f"{self.name}: {self.done} of {self.of}"


def follow(
    deployment: Deployment, arn: str, output: Output, lists: Mapping[str, str] = NOTHING
) -> dict[str, Any]:
    """Wait for an execution, telling each state once, and return what the run says of itself.

    Of a state that works through one of the `lists` it tells how much is done.
    """
    client = deployment.client("stepfunctions")
    began = time.monotonic()
    told: set[int] = set()
    shown = Shown(lists)
    with output.progress.status("Running …") as spinner:
        while True:
            state = client.describe_execution(executionArn=arn)
            for event in _fresh(client, arn, told):
                if (says := shown.says(event)) is not None:
                    spinner.update(f"{says} …")
                    output.note(says, f"{time.monotonic() - began:6.1f} s ", "dim")
            if state["status"] != "RUNNING":
                break
            time.sleep(POLL_SECONDS)
    return _result(client, state, time.monotonic() - began)


def _named(entered: Mapping[str, Any]) -> str:
    """Return a state's name, and of which model it is where there is one state for each."""
    told = json_module.loads(entered.get("input") or "null")
    model = told.get("model") if isinstance(told, dict) else None
    return f"{entered['name']}: {model}" if isinstance(model, str) else str(entered["name"])


def _fresh(client: Any, arn: str, told: set[int]) -> Iterator[dict[str, Any]]:
    """Return the events of the history since the last call."""
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if event["id"] not in told:
                told.add(event["id"])
                yield event


def _result(client: Any, state: dict[str, Any], seconds: float) -> dict[str, Any]:
    if state["status"] != "SUCCEEDED":
        stage, cause = _first_fault(client, state["executionArn"])
        lost = _lost(client, state["executionArn"])
        of = f" ({', '.join(lost)})" if lost else ""
        raise RunFailedError(
            f"the run ended as {state['status']} in {stage}{of}: {cause or state.get('cause', '')}",
            hint="The last good state is still in place: see `stamgast logs`, then run again.",
        )
    told = json_module.loads(state.get("output") or "{}")
    if told.get("status") == "busy":
        raise RunBusyError(
            "another run is under way, or died less than 20 minutes ago",
            hint="Wait for its end, then run again; one run at a time keeps the lake exact.",
        )
    return {"execution": state["status"], "seconds": round(seconds, 1), **told}


def _first_fault(client: Any, arn: str) -> tuple[str, str]:
    """Return the state in which the first task failed, and why."""
    state = "its first state"
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if event["type"] in WORKING:
                state = event["stateEnteredEventDetails"]["name"]
            for kind in FAULTS:
                if kind in event:
                    told = event[kind]
                    return state, f"{told.get('error', '')}: {_plain(told.get('cause', ''))}"[:600]
    return state, ""


def _lost(client: Any, arn: str) -> list[str]:
    """Return the models that a run went on without, as its last state was told."""
    for page in client.get_paginator("get_execution_history").paginate(
        executionArn=arn, reverseOrder=True
    ):
        for event in page["events"]:
            if entered := event.get("stateEnteredEventDetails"):
                told = json_module.loads(entered.get("input") or "null")
                return [*told.get("failed", ())] if isinstance(told, dict) else []
    return []


def _plain(cause: str) -> str:
    """What a function said of its error, without the document that carries it."""
    try:
        told = json_module.loads(cause)
    except ValueError:
        return cause
    return str(told["errorMessage"]) if isinstance(told, dict) and "errorMessage" in told else cause
