"""Connected components of a graph of keys: coded in DuckDB, labelled by min-hooking in numpy.

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
Codes = npt.NDArray[np.uint64]

STAR_EDGES = """
    create or replace temp table {into} as
    select distinct hub.a as a, record.{key} as b
    from {records} record
    join (select {record} as star, min({key}) as a from {records} group by {record}) hub
      on hub.star = record.{record}
    where record.{key} <> hub.a
"""
CODED = "select {code}(a) as a, {code}(b) as b from {edges}"
KEYS = """
    create or replace temp table component_key as
    select key, {code}(key) as code
    from (select a as key from {edges} union select b from {edges})
"""
ONE_BY_ONE = """
    create or replace temp table component_key as
    select key, cast(row_number() over () as ubigint) as code from component_key
"""
NUMBERED = """
    select na.code as a, nb.code as b
    from {edges} edge
    join component_key na on na.key = edge.a
    join component_key nb on nb.key = edge.b
"""
LABELLED = """
    create or replace temp table {into} as
    with told as (
        select key, head from component_key
        join component_label on component_label.code = component_key.code
    ), named as (
        select head, min(key) as component from told group by head
    )
    select key, component from told join named on named.head = told.head
"""
# Numbers within one session alone: no other engine need agree, and codes that meet are found out.
CODE = "hash"


def star_edges(
    engine: "DuckDBPyConnection", records: str, record: str, key: str, into: str
) -> None:
    """Makes table `into` (a, b): per record, edges from its smallest key to its other keys."""
    engine.execute(STAR_EDGES.format(into=into, records=records, record=record, key=key))


def connect(engine: "DuckDBPyConnection", edges: str, into: str) -> None:
    """Makes table `into` (key, component) from a relation of edges (a, b).

    A component is named by its smallest key. A key without an edge does not appear. Keys stand as
    64-bit codes, which saves joining texts; where two keys meet in one code (one in 10^5 tables of
    20 million keys, by the birthday bound) they are numbered one by one.
    """
    engine.execute(KEYS.format(edges=edges, code=CODE))
    ((keys,),) = engine.execute("select count(*) from component_key").fetchall()
    codes, heads = _labelled(engine, CODED.format(edges=edges, code=CODE))
    if len(codes) < keys:
        engine.execute(ONE_BY_ONE)
        codes, heads = _labelled(engine, NUMBERED.format(edges=edges))
    engine.register("component_label", pa.table({"code": codes, "head": heads}))
    engine.execute(LABELLED.format(into=into))
    engine.unregister("component_label")
    engine.execute("drop table component_key")


def _labelled(engine: "DuckDBPyConnection", statement: str) -> tuple[Codes, Ids]:
    """The distinct codes of a statement's edges, and the number of each one's component."""
    found = engine.execute(statement).fetchnumpy()
    edges = len(found["a"])
    both: Codes = np.concatenate((found.pop("a"), found.pop("b")))
    codes, places = np.unique(both, return_inverse=True)
    del both
    places = places.astype(np.int32)
    return codes, labels(len(codes), places[:edges], places[edges:])


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
