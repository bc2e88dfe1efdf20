"""The card of a model as it would be if it were trained now, in this process."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from stamgast.models.card import about
from stamgast.models.declaration import Model
from stamgast_lake.features.run import write_panel
from stamgast_lake.lake import Lake
from stamgast_learn.kinds import learn_run, order_of, score_run
from stamgast_learn.progress import Passed, followed

Step: TypeAlias = Callable[[str], AbstractContextManager[Passed | None]]
Json: TypeAlias = dict[str, Any]
TRIAL = "trial"


def card_of(lake: Lake, model: Model, moment_ms: int, step: Step) -> Json:
    """The card of a version that is trained, judged and asked of people now; nothing is stored."""
    with TemporaryDirectory(prefix="stamgast-model-") as folder:
        panel, scores = (Path(folder) / name for name in ("panel.parquet", "scores.parquet"))
        with step("measuring people at each cut-off") as told:
            at = "cut-offs measured"
            passed = told or (lambda *_: None)
            written = write_panel(lake, model, moment_ms, panel, lambda *done: passed(at, *done))
        order = order_of(model, TRIAL, written.history_days)
        with step("learning from older cut-offs, judging by later ones") as told, followed(told):
            outcome, made = learn_run(order, panel, None)
            now = None if made is None else score_run(order, made, panel, scores)
    days = (written.scored_on, written.learnt_on, written.history_days)
    amounts = None if written.amounts is None else asdict(written.amounts)
    return {
        **about(model, moment_ms, *days, written.known, amounts, written.drawn),
        "version": TRIAL,
        "is_used": outcome.is_used,
        "why": outcome.why,
        "report": dict(outcome.report),
        "now": now,
    }
