"""Trains and judges a version of one model, on documents of the run alone; it commits nothing."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from stamgast_aws.clients import client
from stamgast_aws.line_log import LineLog
from stamgast_aws.run_documents import RunDocuments
from stamgast_aws.settings import read_settings
from stamgast_learn.stages import train


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    lake_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers what became of the version; the registry decides whether it is used."""
    run_id, model = event["run_id"], event["model"]
    told = train(RunDocuments(_s3(), read_settings(Settings).lake_bucket, run_id), model)
    LineLog().info("model trained", run_id=run_id, model=model, figures=told)
    return {"run_id": run_id, "model": model, **told}


@cache
def _s3() -> Any:
    return client("s3")
