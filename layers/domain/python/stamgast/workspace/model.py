"""What a workspace may say, as frozen values; the compiled JSON is exactly this, spelled out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stamgast.consent.purposes import UNDECLARED, Purposes, purposes_of
from stamgast.identity.assurance import Assurance
from stamgast.identity.settings import (
    DEFAULT,
    Form,
    IdentitySettings,
    Kind,
    Namespace,
    Provider,
)
from stamgast.retention import KEPT, Retention, retention_of


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from; a source outlives its rotated keys.

    `imports` are documents that tell `stamgast.workspace.import_mapping.ImportMapping`.
    """

    id: str
    name: str
    region: str | None = None
    events_per_second: int | None = None
    imports: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """One version of the whole configuration.

    Rules and computed traits stay documents, which `stamgast.segments.definitions` decodes for
    those functions that use them, and so does how links are made (`linking`), which
    `stamgast.identity.link_settings` decodes. `consents` are the purposes of `consent.yaml`, and
    `never_stored` what it keeps out of every store;
    `retention` says how long what is kept stays. `purposes` gives each purpose that opted in to
    provisional links the probability from which on it takes one.
    """

    version: str
    time_zone: str
    sources: Mapping[str, Source]
    identity: IdentitySettings
    safe_when_claimed: tuple[str, ...] = ()
    purposes: Mapping[str, float] = field(default_factory=dict)
    linking: Mapping[str, Any] = field(default_factory=dict)
    segments: tuple[Mapping[str, Any], ...] = ()
    traits: tuple[Mapping[str, Any], ...] = ()
    models: tuple[Mapping[str, Any], ...] = ()
    tracking_plan: Mapping[str, Any] = field(default_factory=dict)
    consents: Purposes = UNDECLARED
    never_stored: Mapping[str, Any] = field(default_factory=dict)
    retention: Retention = KEPT


def models_in(workspace: Workspace) -> frozenset[str]:
    """The names of its models, whose scores the rules of segments may name."""
    return frozenset(one["name"] for one in workspace.models)


def purposes_in(workspace: Workspace) -> frozenset[str]:
    """The purposes that it declares, which alone rules may name; none where none is declared."""
    return frozenset(workspace.consents.by_name)


def workspace_of(told: Mapping[str, Any]) -> Workspace:
    """The workspace that a compiled JSON document tells (what `compiler.compile_files` returns)."""
    sources = {key: _source(key, source) for key, source in told["sources"].items()}
    consents = purposes_of(told.get("consent", {}))
    regions = {key: source.region for key, source in sources.items() if source.region}
    return Workspace(
        version=told["version"],
        time_zone=told["time_zone"],
        sources=sources,
        identity=_identity(told["identity"], regions, consents),
        safe_when_claimed=tuple(told["lookup"]["safe_when_claimed"]),
        purposes=told["identity"].get("links", {}).get("purposes", {}),
        linking={name: told["identity"].get(name) for name in ("devices", "records")},
        segments=tuple(told.get("segments", ())),
        traits=tuple(told.get("traits", ())),
        models=tuple(told.get("models", ())),
        tracking_plan=told.get("tracking_plan", {}),
        consents=consents,
        never_stored=told.get("consent", {}).get("never_stored", {}),
        retention=retention_of(told.get("retention", {})),
    )


def _source(key: str, told: Mapping[str, Any]) -> Source:
    rest = {name: told[name] for name in ("name", "region", "events_per_second")}
    return Source(id=key, imports=tuple(told["imports"]), **rest)


def _identity(
    told: Mapping[str, Any], regions: dict[str, str], consents: Purposes
) -> IdentitySettings:
    return IdentitySettings(
        namespaces=tuple(
            _namespace(place, name, one)
            for place, (name, one) in enumerate(told["namespaces"].items())
        ),
        person_limit=told["person_limit"],
        merge_limit=told.get("merge_limit", DEFAULT.merge_limit),
        blocked_values=frozenset(value.casefold() for value in told["blocked_values"]),
        blocked_patterns=tuple(told["blocked_patterns"]),
        default_region=told["default_region"],
        regions=regions,
        consents=consents,
    )


def _namespace(priority: int, name: str, told: Mapping[str, Any]) -> Namespace:
    return Namespace(
        name=name,
        kind=Kind(told["kind"]),
        priority=priority,
        value_limit=told["value_limit"],
        paths=tuple(tuple(path.split(".")) for path in told["paths"]),
        form=Form(told["form"]),
        fold_case=told["fold_case"],
        most=told.get("most"),
        allow=told.get("allow"),
        block=tuple(told.get("block", ())),
        least_assurance=Assurance[told.get("least_assurance", "anonymous").upper()],
        providers=tuple(Provider(one) for one in told.get("providers", ())),
        external_types=tuple(told.get("external_types", ())),
    )
