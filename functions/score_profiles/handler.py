"""Scores one shard of people by the version that the run pinned; it commits nothing."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from stamgast_aws.clients import client
from stamgast_aws.line_log import LineLog
from stamgast_aws.run_documents import RunDocuments
from stamgast_aws.settings import read_settings
from stamgast_learn.stages import score


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    lake_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers how many were scored, and by which version."""
    run_id, model, shard = event["run_id"], event["model"], int(event["shard"])
    told = score(RunDocuments(_s3(), read_settings(Settings).lake_bucket, run_id), model, shard)
    LineLog().info("shard scored", run_id=run_id, model=model, shard=shard, figures=told)
    return {"run_id": run_id, "model": model, "shard": shard, **told}


@cache
def _s3() -> Any:
    return client("s3")
