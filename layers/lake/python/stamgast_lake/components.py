"""Connected components of a graph of keys: numbered in DuckDB, labelled by min-hooking in numpy.

Min-hooking with full pointer jumping after each round (Shiloach and Vishkin 1982, in the vectorised
form of FastSV, Zhang, Azad and Hu 2020): every round hangs each root under its smallest neighbour.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Ids = npt.NDArray[np.int32]

STAR_EDGES = """
    create or replace temp table {into} as
    select distinct hub.a as a, record.{key} as b
    from {records} record
    join (select {record} as star, min({key}) as a from {records} group by {record}) hub
      on hub.star = record.{record}
    where record.{key} <> hub.a
"""
NODES = """
    create or replace temp table component_node as
    select key, cast(row_number() over (order by key) - 1 as integer) as id
    from (select a as key from {edges} union select b from {edges})
"""
NUMBERED = """
    select na.id as a, nb.id as b
    from {edges} edge
    join component_node na on na.key = edge.a
    join component_node nb on nb.key = edge.b
"""
LABELLED = """
    create or replace temp table {into} as
    select node.key as key, head.key as component
    from component_node node
    join component_label label on label.id = node.id
    join component_node head on head.id = label.head
"""


def star_edges(
    engine: "DuckDBPyConnection", records: str, record: str, key: str, into: str
) -> None:
    """Makes table `into` (a, b): per record, edges from its smallest key to its other keys."""
    engine.execute(STAR_EDGES.format(into=into, records=records, record=record, key=key))


def connect(engine: "DuckDBPyConnection", edges: str, into: str) -> None:
    """Makes table `into` (key, component) from a relation of edges (a, b).

    A component is named by its smallest key. A key without an edge does not appear.
    """
    engine.execute(NODES.format(edges=edges))
    ((nodes,),) = engine.execute("select count(*) from component_node").fetchall()
    found = engine.execute(NUMBERED.format(edges=edges)).fetchnumpy()
    heads = labels(nodes, found.pop("a"), found.pop("b"))
    del found
    told = pa.table({"id": np.arange(len(heads), dtype=np.int32), "head": heads})
    engine.register("component_label", told)
    engine.execute(LABELLED.format(into=into))
    engine.unregister("component_label")
    engine.execute("drop table component_node")


def labels(count: int, a: npt.ArrayLike, b: npt.ArrayLike) -> Ids:
    """For each of `count` nodes the smallest node of its component; edge n joins a[n] and b[n]."""
    parent: Ids = np.arange(count, dtype=np.int32)
    left, right = np.asarray(a, dtype=np.int32), np.asarray(b, dtype=np.int32)
    while len(left):
        low, high = np.minimum(left, right), np.maximum(left, right)
        is_apart = low != high
        low, high = low[is_apart], high[is_apart]
        np.minimum.at(parent, high, low)
        parent = _jump(parent)
        left, right = parent[low], parent[high]
    return parent


def _jump(parent: Ids) -> Ids:
    """Every node under its root."""
    while not np.array_equal(higher := parent[parent], parent):
        parent = higher
    return parent
