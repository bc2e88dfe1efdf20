"""Every table of the lake in one place; infra, Iceberg schemas and the docs are made from here."""

from stamgast_lake.tables.archive import DISCLOSURES, RAW_EVENTS, REJECTED_EVENTS
from stamgast_lake.tables.arrivals import MESSAGE_INDEX, RAW_FILES, RECEIPTS, RUNS
from stamgast_lake.tables.columns import (
    Column,
    Form,
    LakeTable,
    ListOf,
    Scalar,
    Struct,
    Type,
    glue_columns,
    glue_type,
)
from stamgast_lake.tables.egress import EGRESS_RECEIPTS
from stamgast_lake.tables.events import CONSTRAINTS, EVENTS, EVIDENCE
from stamgast_lake.tables.links import LINK_MODELS, LINKS
from stamgast_lake.tables.memberships import COMPUTED_TRAITS, MEMBERSHIPS
from stamgast_lake.tables.models import MODELS, SCORES
from stamgast_lake.tables.persons import EDGES, IDENTITY, PERSONS
from stamgast_lake.tables.profiles import ANCHORS, PROFILES, RFM

ARCHIVE = (RAW_EVENTS, REJECTED_EVENTS, DISCLOSURES)
ICEBERG = (
    RECEIPTS,
    MESSAGE_INDEX,
    EVENTS,
    EVIDENCE,
    CONSTRAINTS,
    EDGES,
    IDENTITY,
    PERSONS,
    ANCHORS,
    PROFILES,
    RFM,
    COMPUTED_TRAITS,
    MEMBERSHIPS,
    LINKS,
    LINK_MODELS,
    MODELS,
    SCORES,
    EGRESS_RECEIPTS,
    RUNS,
    RAW_FILES,
)
TABLES = {table.name: table for table in (*ARCHIVE, *ICEBERG)}

__all__ = [
    "ANCHORS",
    "ARCHIVE",
    "COMPUTED_TRAITS",
    "CONSTRAINTS",
    "DISCLOSURES",
    "EDGES",
    "EGRESS_RECEIPTS",
    "EVENTS",
    "EVIDENCE",
    "ICEBERG",
    "IDENTITY",
    "LINKS",
    "LINK_MODELS",
    "MEMBERSHIPS",
    "MESSAGE_INDEX",
    "MODELS",
    "PERSONS",
    "PROFILES",
    "RAW_EVENTS",
    "RAW_FILES",
    "RECEIPTS",
    "REJECTED_EVENTS",
    "RFM",
    "RUNS",
    "SCORES",
    "TABLES",
    "Column",
    "Form",
    "LakeTable",
    "ListOf",
    "Scalar",
    "Struct",
    "Type",
    "glue_columns",
    "glue_type",
]
