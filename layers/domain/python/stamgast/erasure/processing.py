"""The record of processing (GDPR, Article 30), from a workspace and the registry of stores."""

from collections.abc import Iterable, Sequence

from stamgast.consent.purposes import Purpose, Use
from stamgast.erasure.request import ANSWER_DAYS, WARN_DAYS
from stamgast.erasure.stores import (
    ENDS,
    OLD_VERSION_DAYS,
    SNAPSHOT_DAYS,
    STORES,
    TIMELINE_DAYS,
    Kind,
)
from stamgast.identity.settings import Kind as NamespaceKind
from stamgast.workspace.model import Workspace

KINDS = {
    NamespaceKind.PERSISTENT: "stays with the person",
    NamespaceKind.LINKED: "known through an act, such as a log-in",
    NamespaceKind.EPHEMERAL: "a device or a browser",
}
REQUESTS = (
    f"## Requests of persons\n\nAnswered within {ANSWER_DAYS} days;"
    f" `stamgast rights list` warns in the last {WARN_DAYS}."
)
PURPOSES = ("purpose", "legal basis", "default", "covers", "recipients")
PREFIX_OF = {
    "raw_events": "raw/",
    "rejected_events": "rejected/",
    "imports": "imports/",
    "history": "what newer rows of anchors, profiles, rfm, computed_traits, memberships and scores"
    " replaced",
}
RECIPIENTS = {
    Use.LOOKUP: "readers with a token",
    Use.EXPORTS: "who is given an export",
    Use.EVENTS: "who listens to the event bus",
}
AFTERWARDS = (
    f"Files of tables that rows have left go within {SNAPSHOT_DAYS + 1} days, versions that were"
    f" replaced within {OLD_VERSION_DAYS} more. What is not listed stays until an erasure."
)
UNNAMED = "every purpose, denied until it is granted (no consent.yaml)"


def record_of_processing(workspace: Workspace) -> str:
    """The record as Markdown; it holds nothing that is not in the workspace or the registry."""
    parts = (
        f"# Record of processing\n\nWorkspace {workspace.version}, {workspace.time_zone}.",
        _section("Purposes", PURPOSES, _purposes(workspace)),
        _section("Sources", ("source", "name", "files"), _sources(workspace)),
        _section("Identifiers", ("namespace", "kind", "persons it may serve"), _names(workspace)),
        _section("Properties", ("class", "properties", "days"), _classes(workspace)),
        _section("Conclusions", ("what", "name"), _conclusions(workspace)),
        _section("Stores", ("store", "kind", "holds", "on erasure"), _stores()),
        _section("How long", ("store", "days", "by"), _ending(workspace)),
        AFTERWARDS,
        _section("What cannot be read", ("store", "holds for days", "then"), _held()),
        REQUESTS,
    )
    return "\n\n".join(parts) + "\n"


def _purposes(workspace: Workspace) -> Iterable[Sequence[str]]:
    found = workspace.consents.by_name
    for name, one in sorted(found.items()):
        default = "granted" if one.is_default_granted else "denied"
        yield name, one.legal_basis, default, ", ".join(one.covers), _recipients(one)
    if not found:
        yield UNNAMED, "consent", "denied", "everything", ", ".join(RECIPIENTS.values())


def _recipients(purpose: Purpose) -> str:
    """Who may get something for it, as the uses tell that it covers."""
    uses = {cover.partition(".")[0] for cover in purpose.covers}
    return ", ".join(who for use, who in RECIPIENTS.items() if use in uses) or "nobody"


def _classes(workspace: Workspace) -> Iterable[Sequence[str]]:
    for one in workspace.retention.classes:
        yield one.name, ", ".join(map(".".join, one.paths)), str(one.days)
    for how, paths in sorted(workspace.never_stored.items()):
        if paths:
            told = "never stored" if how == "drop" else "stored as a keyed hash"
            yield told, ", ".join(sorted(paths)), "0" if how == "drop" else "until an erasure"


def _ending(workspace: Workspace) -> Iterable[Sequence[str]]:
    """Days of the workspace, and of the platform where it says none."""
    told = workspace.retention
    days = {PREFIX_OF.get(name, name): one for name, one in told.days.items()}
    for name, one in sorted(days.items()):
        yield name, str(one), "workspace"
    for name, one in sorted(ENDS.items()):
        if name not in days:
            yield name, str(one), "platform"
    yield "timelines", str(told.timeline_days(TIMELINE_DAYS)), "platform, workspace"


def _sources(workspace: Workspace) -> Iterable[Sequence[str]]:
    for name, source in sorted(workspace.sources.items()):
        yield name, source.name, "yes" if source.imports else "no"


def _names(workspace: Workspace) -> Iterable[Sequence[str]]:
    for one in workspace.identity.namespaces:
        yield one.name, KINDS[one.kind], str(one.value_limit)


def _conclusions(workspace: Workspace) -> Iterable[Sequence[str]]:
    for what, told in (
        ("computed trait", workspace.traits),
        ("segment", workspace.segments),
        ("model", workspace.models),
    ):
        yield from ((what, str(one["name"])) for one in told)


def _stores() -> Iterable[Sequence[str]]:
    for one in STORES:
        if one.holds and one.days is None:
            yield one.name, one.kind.value, one.holds, one.erased


def _held() -> Iterable[Sequence[str]]:
    for one in STORES:
        if one.days is not None and one.kind is not Kind.LOG:
            yield one.name, f"{one.days:g}", one.erased


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(_cell(cell) for cell in row) for row in rows]
    if not lines:
        return f"## {title}\n\nNone."
    table = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {one} |" for one in lines)]
    return f"## {title}\n\n" + "\n".join(table)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
