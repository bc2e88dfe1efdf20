"""Begins a run of links: measures the pairs of devices that share rare addresses."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast.identity.link_settings import device_settings_of, record_settings_of
from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.links.run import pair_run
from stamgast_lake.runs import Run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the run, and how long the links of each kind that it may state are to stand.

    `train` in the event trains a model now, whenever the last one was trained. Nothing is
    committed, so no lease is needed; links are stored under one.
    """
    now = datetime.now(UTC)
    moment = datetime.fromisoformat(event["moment"]) if "moment" in event else now
    run_id = event.get("run_id") or f"links-{now:%Y%m%dT%H%M%SZ}-{context.aws_request_id[:8]}"
    run, linking = Run(run_id, 0, moment.astimezone(UTC)), _lake().workspace().linking
    devices, records = device_settings_of(linking), record_settings_of(linking)
    figures = {}
    if devices.is_on:
        figures = pair_run(_lake(), run, is_training=bool(event.get("train")))
    _logger().info("devices paired", run_id=run_id, is_on=devices.is_on, figures=figures)
    return {
        "run_id": run_id,
        "moment": run.moment.isoformat(),
        "devices": devices.is_on,
        "train": bool(event.get("train")),
        "tries": 0,
        "records": records.is_on,
        "expiry_days": {
            kind: told.expiry_days
            for kind, told in (("device", devices), ("record", records))
            if told.is_on
        },
        "figures": {"pair_devices": figures},
    }


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
