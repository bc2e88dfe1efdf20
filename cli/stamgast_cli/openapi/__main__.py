"""`python -m stamgast_cli.openapi` writes docs/openapi/*.json."""

import json

from stamgast_cli.local.places import ROOT
from stamgast_cli.openapi import DOCUMENTS

FOLDER = ROOT / "docs" / "openapi"


def main() -> None:
    """Writes each description as its code stands now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in DOCUMENTS.items():
        text = json.dumps(document(), indent=2, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
