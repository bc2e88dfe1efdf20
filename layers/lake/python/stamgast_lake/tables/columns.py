"""How a table is declared: columns with types, one line of documentation each, and a partition."""

from dataclasses import dataclass
from enum import StrEnum


class Scalar(StrEnum):
    """The types of single values; `TIMESTAMP` is a moment in UTC with microseconds."""

    STRING = "string"
    INT = "int"
    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    STRING_MAP = "map<string,string>"


@dataclass(frozen=True, slots=True)
class Struct:
    """A row within a row; its fields have no documentation of their own."""

    fields: tuple[tuple[str, "Type"], ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one type."""

    element: "Type"


Type = Scalar | Struct | ListOf


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type, and what it says."""

    name: str
    type: Type
    doc: str
    required: bool = False


class Form(StrEnum):
    """How a table is kept."""

    ICEBERG = "iceberg"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of the lake; `partition` names identity-partitioned columns, `sort` orders files."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    form: Form = Form.ICEBERG

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns in their order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of this name; KeyError without one."""
        return {column.name: column for column in self.columns}[name]


RUN_ID = Column("run_id", Scalar.STRING, "The run that wrote the row.", required=True)


def glue_type(told: Type) -> str:
    """The type as Hive, Glue and Athena spell it."""
    match told:
        case ListOf(element):
            return f"array<{glue_type(element)}>"
        case Struct(fields):
            return f"struct<{','.join(f'{name}:{glue_type(of)}' for name, of in fields)}>"
        case Scalar.LONG:
            return "bigint"
        case scalar:
            return scalar.value


def glue_columns(table: LakeTable) -> list[dict[str, str]]:
    """Name, type and comment of each column that is no partition, for a Glue table's descriptor."""
    return [
        {"name": column.name, "type": glue_type(column.type), "comment": column.doc}
        for column in table.columns
        if column.name not in table.partition or table.form is Form.ICEBERG
    ]
