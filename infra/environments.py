"""Every difference between one environment and another, the laptop's included."""

from dataclasses import dataclass
from enum import Enum

from stamgast.erasure.stores import TIMELINE_DAYS


class Release(Enum):
    """How a new version of a function takes over from the one before."""

    DIRECT = "direct"
    ALIAS = "alias"
    CANARY = "canary"


class AuditLock(Enum):
    """Who may delete a line of the audit log before its time."""

    GOVERNANCE = "governance"
    """Who holds s3:BypassGovernanceRetention: no function does, an administrator may."""
    COMPLIANCE = "compliance"
    """Nobody, not even the account's root: the bucket stays until its last line has ended."""


class UnknownEnvironmentError(ValueError):
    """No environment of this name is defined."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Host names of one's own, in a hosted zone of the same account."""

    zone_id: str
    zone_name: str
    ingest_host: str
    profile_host: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What one environment is; the defaults are those of production."""

    name: str
    account: str | None = None
    region: str | None = None
    is_kept: bool = True
    """What holds data survives its stack, and its stack refuses to be deleted."""
    has_wheel_layers: bool = True
    """Third-party wheels are deployed as layers (else the interpreter at hand has them)."""
    has_distribution: bool = True
    """A CloudFront distribution puts ingestion at the root of a host, unless a domain does."""
    has_dashboard: bool = True
    domain: Domain | None = None
    web_acl_arn: str | None = None
    release: Release = Release.CANARY
    run_every_minutes: int | None = 60
    links_every_minutes: int | None = 24 * 60
    models_every_minutes: int | None = 24 * 60
    proof_every_minutes: int | None = 24 * 60
    settle_seconds: int = 180
    """What was let in before the tombstones stood has reached its place by then: the live loop's
    two minutes, and Firehose's one."""
    may_call_this_machine: bool = False
    """Call-backs of persons' requests may go to the loopback address: on a laptop alone."""
    audit_lock: AuditLock = AuditLock.GOVERNANCE
    audit_days: int = 365
    """How long each line of the audit log is locked and kept; it goes when that has passed."""
    has_signing_key: bool = False
    """A key of KMS signs certificates of erasures; 1.00 a month."""
    drain_every_minutes: int = 5
    live_concurrency: int = 20
    import_concurrency: int = 2
    lake_memory_mb: int = 3008
    lake_storage_mb: int = 4096
    timeline_days: int = TIMELINE_DAYS
    archive_seconds: int = 60
    requests_per_second: int = 2000
    request_burst: int = 4000
    log_level: str = "INFO"
    log_days: int = 90
    alarm_email: str | None = None
    monthly_budget_usd: int | None = None

    @property
    def is_aliased(self) -> bool:
        """Whether callers reach functions through their alias `live`."""
        return self.release is not Release.DIRECT


LOCAL = Environment(
    name="local",
    is_kept=False,
    has_wheel_layers=False,
    has_distribution=False,
    release=Release.DIRECT,
    run_every_minutes=None,
    links_every_minutes=None,
    proof_every_minutes=None,
    settle_seconds=5,
    has_signing_key=True,
    may_call_this_machine=True,
    audit_days=1,
    models_every_minutes=None,
    live_concurrency=4,
    log_days=1,
)

DEV = Environment(
    name="dev",
    is_kept=False,
    release=Release.ALIAS,
    run_every_minutes=60,
    audit_days=1,
    log_days=14,
)

PROD = Environment(name="prod", monthly_budget_usd=50)

ENVIRONMENTS = {environment.name: environment for environment in (LOCAL, DEV, PROD)}


def environment_named(name: str) -> Environment:
    """Return the environment of this name."""
    try:
        return ENVIRONMENTS[name]
    except KeyError as error:
        known = ", ".join(ENVIRONMENTS)
        raise UnknownEnvironmentError(f"environment {name!r} is not one of: {known}") from error
