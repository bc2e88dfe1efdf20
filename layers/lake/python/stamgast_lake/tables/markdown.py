"""The tables and views as the docs show them: one section each, made from the declarations."""

import re
from collections.abc import Iterable

from stamgast_lake.tables.columns import LakeTable, glue_type

BLOCK = re.compile(r"(<!-- tables: ([a-z_ ]+) -->\n).*?(<!-- end of tables -->)", re.S)


def section(table: LakeTable) -> str:
    """A heading, a sentence, the partition, and a row for each column."""
    head = f"### `{table.name}`\n\n{table.doc}"
    kept = [
        *((f"Partition: {_names(table.partition)}.",) if table.partition else ()),
        *((f"Sorted by {_names(table.sort)}.",) if table.sort else ()),
    ]
    rows = "\n".join(
        f"| `{column.name}` | {glue_type(column.type)} | {column.doc} |" for column in table.columns
    )
    told = "\n".join([head, *([" ".join(kept)] if kept else [])])
    return f"{told}\n\n| column | type | what it says |\n|---|---|---|\n{rows}\n"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def rendered(page: str, tables: dict[str, LakeTable]) -> str:
    """The page with every block between its markers made anew."""

    def block(found: re.Match[str]) -> str:
        sections = [section(tables[name]) for name in found[2].split()]
        return found[1] + "\n" + "\n".join(sections) + "\n" + found[3]

    return BLOCK.sub(block, page)
