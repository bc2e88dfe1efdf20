"""The stage `import_file` of a run: one file of its list, and the document that says what came."""

from typing import Any

from stamgast.erasure.gate import Gate
from stamgast.erasure.tombstones import HeldTombstones
from stamgast_lake.imports.take import FileImport, Imported
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake
from stamgast_lake.loading.run import import_document
from stamgast_lake.runs import inputs_of


def import_of(lake: Lake, run_id: str, tag: str) -> ImportInput:
    """The file of the run's list that this tag stands for."""
    return next(one for one in inputs_of(lake, run_id).imports if one.tag == tag)


def import_file(lake: Lake, run_id: str, given: ImportInput) -> dict[str, Any]:
    """Takes the file into the archive and returns its figures; a repeat writes the same bytes."""
    workspace = lake.workspace()
    tombstones = lake.tombstones.all()
    held = HeldTombstones(tombstones, lake.tombstones)
    gate = Gate(held, workspace.identity, lake.keyring()) if tombstones else None
    imported: Imported = FileImport(
        s3=lake.s3,
        bucket=lake.bucket,
        workspace=workspace,
        given=given,
        gate=gate,
        keyring=lake.keyring(),
    ).take()
    lake.put_document(run_id, import_document(given), imported.to_json())
    return {
        "rows": imported.rows,
        "accepted": imported.accepted,
        "rejected": imported.rejected,
        "objects": len(imported.objects),
        **({"fault": imported.fault} if imported.fault else {}),
    }
