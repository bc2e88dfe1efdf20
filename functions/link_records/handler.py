"""Links the records of persons that are new or changed with everybody's, within a run of links."""

from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast.identity.link_settings import record_settings_of
from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.records.run import link_records_run
from stamgast_lake.runs import Run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with figures and what is learnt next; nothing is committed, so no lease.

    `train` in the event trains a model now, whenever the last one was trained.
    """
    lake, run = _lake(), Run.of({"seq": 0, **event})
    settings = record_settings_of(lake.workspace().linking)
    figures = link_records_run(lake, run, settings, is_training=bool(event.get("train")))
    _logger().info("records linked", run_id=run.run_id, figures=figures)
    told = {**event.get("figures", {}), "link_records": figures}
    return {**event, "learn": "record", "figures": told}


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
