"""Persons that are new or say something else, compared with everybody by a pinned model.

Of all others only the blocking keys are read, as a run of the model kept them; the records are
read of those alone who share a key with a new person. So a run costs in proportion to the news.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.identity.records import rule_of
from stamgast_lake.logs import count
from stamgast_lake.records.blocking import Block, key_sql, told_sql
from stamgast_lake.records.columns import comparison_columns
from stamgast_lake.records.model import Model
from stamgast_lake.records.relation import add_frequencies, number
from stamgast_lake.records.score import score

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GROWN, FEWEST = 4, 50
"""A key is left out once it has so many times the records that its rule bore in training."""
STATED = """
    create or replace temp table stated as
    select person, max(nth) as nth from every_persons group by person
"""
KNOWN = """
    create or replace temp table known as
    select stated.person, stated.nth from stated
    join every_persons on every_persons.person = stated.person and every_persons.nth = stated.nth
    join person_told on person_told.person = stated.person
        and person_told.hash = every_persons.hash
"""
NEWS = """
    create or replace temp table news as
    select person, hash from person_told where person not in (select person from known)
"""
KEPT = """
    create or replace temp table kept_link as
    select every_links.* exclude (nth) from every_links
    join known ka on ka.person = every_links.a and ka.nth <= every_links.nth
    join known kb on kb.person = every_links.b and kb.nth <= every_links.nth
"""
NEW_KEY = """
    create or replace temp table new_key as
    select {key} as key, record_id as person from record where {told}
"""
STOP = """
    create or replace temp table stop as
    select unnest(?::ubigint[]) as key
    union
    select key from (
        select key from new_key
        union all
        select k{place} from every_persons where k{place} in (select key from new_key)
    ) group by key having count(*) > {most}
"""
HITS = "create or replace temp table news_hit (a varchar, b varchar, nth integer, found bigint)"
JOIN = """
    insert into news_hit
    with worth as (select * from new_key where key not in (select key from stop))
    select worth.person, old.person, old.nth, {bit}
    from worth join every_persons old on old.k{place} = worth.key
    union all
    select l.person, r.person, null, {bit}
    from worth l join worth r on l.key = r.key and l.person < r.person
"""
MET = """
    create or replace temp table met as
    select least(a, b) as a, greatest(a, b) as b, bit_or(found) as found from news_hit
    where nth is null or (b, nth) in (select (person, nth) from known)
    group by 1, 2
"""
MET_PERSONS = """
    create or replace temp table met_person as
    select a as person from met union select b from met
"""
PAIR = """
    create or replace temp table pair as
    select least(l.unique_id, r.unique_id) as a, greatest(l.unique_id, r.unique_id) as b, found
    from met join record l on l.record_id = met.a join record r on r.record_id = met.b
"""
Read = Callable[[str], pa.Table]


def find_news(engine: "DuckDBPyConnection") -> int:
    """Makes `news` and `kept_link` out of `person_told`, `every_persons` and `every_links`.

    News are persons whom no part has as they are now; a link is kept while both sides are as they
    were compared. How many news.
    """
    for statement in (STATED, KNOWN, NEWS, KEPT):
        engine.execute(statement)
    return count(engine, "select count(*) from news")


def link_news(
    engine: "DuckDBPyConnection", model: Model, read: Read, least_probability: float
) -> pa.Table:
    """The links that a new person has, as a run over everybody by this model would find them.

    `read` gives the records of a relation's persons. Needs `find_news`; makes `part_person`.
    """
    number(engine, comparison_columns(read("news")))
    index_persons(engine, model, "news")
    engine.execute(HITS)
    for place, block in enumerate(model.blocks):
        if block.is_used:
            _meet(engine, place, block)
    engine.execute(MET)
    engine.execute(MET_PERSONS)
    number(engine, comparison_columns(read("met_person")))
    add_frequencies(engine, model.frequencies)
    engine.execute(PAIR)
    return score(engine, model, least_probability)


def index_persons(engine: "DuckDBPyConnection", model: Model, which: str) -> None:
    """Makes `part_person`: hash and blocking keys of the persons of a relation (person, hash).

    Keys come from relation `record`; who says nothing that is compared has none.
    """
    keys = {
        f"k{place}": key_sql(rule_of(block.rule))
        for place, block in enumerate(model.blocks)
        if block.is_used
    }
    told = "".join(f", {key} as {name}" for name, key in keys.items())
    engine.execute(
        f"create or replace temp table part_person as"
        f" select which.person, hash{''.join(f', {name}' for name in keys)} from {which} which"
        f" left join (select record_id as person{told} from record) keyed"
        f" on keyed.person = which.person"
    )


def _meet(engine: "DuckDBPyConnection", place: int, block: Block) -> None:
    rule = rule_of(block.rule)
    engine.execute(NEW_KEY.format(key=key_sql(rule), told=told_sql(rule)))
    most = GROWN * max(block.largest, FEWEST)
    engine.execute(STOP.format(place=place, most=most), [list(block.stopped)])
    engine.execute(JOIN.format(place=place, bit=1 << place))
