"""The stage `import_file` of a run: one file of its list, and the document that says what came."""

from typing import Any

from stamgast_lake.imports.take import FileImport, Imported
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake
from stamgast_lake.loading.run import import_document


def import_file(lake: Lake, run_id: str, given: ImportInput) -> dict[str, Any]:
    """Takes the file into the archive and returns its figures; a repeat writes the same bytes."""
    imported: Imported = FileImport(
        s3=lake.s3, bucket=lake.bucket, workspace=lake.workspace(), given=given
    ).take()
    lake.put_document(run_id, import_document(given), imported.to_json())
    return {
        "rows": imported.rows,
        "accepted": imported.accepted,
        "rejected": imported.rejected,
        "objects": len(imported.objects),
        **({"fault": imported.fault} if imported.fault else {}),
    }
