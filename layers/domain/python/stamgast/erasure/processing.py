"""The record of processing (GDPR, Article 30), from a workspace and the registry of stores."""

from collections.abc import Iterable, Sequence

from stamgast.erasure.request import ANSWER_DAYS, WARN_DAYS
from stamgast.erasure.stores import STORES, Kind
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
UNNAMED = "every purpose, denied until it is granted (no consent.yaml)"


def record_of_processing(workspace: Workspace) -> str:
    """The record as Markdown; it holds nothing that is not in the workspace or the registry."""
    parts = (
        f"# Record of processing\n\nWorkspace {workspace.version}, {workspace.time_zone}.",
        _section("Purposes", ("purpose", "legal basis", "default", "covers"), _purposes(workspace)),
        _section("Sources", ("source", "name", "files"), _sources(workspace)),
        _section("Identifiers", ("namespace", "kind", "persons it may serve"), _names(workspace)),
        _section("Conclusions", ("what", "name"), _conclusions(workspace)),
        _section("Stores", ("store", "kind", "holds", "on erasure"), _stores()),
        _section("What cannot be read", ("store", "holds for days", "then"), _held()),
        REQUESTS,
    )
    return "\n\n".join(parts) + "\n"


def _purposes(workspace: Workspace) -> Iterable[Sequence[str]]:
    found = workspace.consents.by_name
    for name, one in sorted(found.items()):
        default = "granted" if one.is_default_granted else "denied"
        yield name, one.legal_basis, default, ", ".join(one.covers)
    if not found:
        yield UNNAMED, "consent", "denied", "everything"


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
