"""Which pairs are compared: keys that both records share, bounded by leaving out common ones.

A rule alone may ask for more comparisons than a run can make. Its keys are then taken from the
rarest to the commonest until the bound is reached; the keys beyond it are kept as the model's
*stop list*, so that every later run of the same model compares the same pairs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stamgast.identity.records import BlockingRule, Key
from stamgast_lake.logs import count

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHARE_OF_A_RULE = 0.2
SPENT = 0.005
"""With less than this share of all comparisons left, no further rule is looked at."""
DATE_PARTS = {
    "year": "nullif(substr({0}, 1, 4), '')",
    "month": "case when length({0}) >= 6 then substr({0}, 1, 6) end",
    "day_of_year": "case when length({0}) = 8 then substr({0}, 5, 4) end",
}
NAMES = (
    "case when given_name < surname then given_name || ' ' || surname"
    " else surname || ' ' || given_name end"
)
KEYS = """
    create or replace temp table rule_key as
    select {key} as key, unique_id as id from record where {told}
"""
SIZES = """
    create or replace temp table block_size as
    select key, count(*) as records from rule_key group by key having count(*) > 1
"""
LARGEST = """
    select coalesce(max(records), 1) from (
        select records, sum(sum(records * (records - 1) / 2)) over (order by records) as pairs
        from block_size group by records
    ) where pairs <= {bound}
"""
PAIRS = """
    select cast(coalesce(sum(records * (records - 1) / 2), 0) as bigint) from block_size
    where records {of}
"""
HITS = "create or replace temp table hit (a integer, b integer, found bigint)"
JOIN = """
    insert into hit
    with worth as (
        select key, id from rule_key where key in (select key from block_size)
          and key not in (select key from stop)
    )
    select l.id, r.id, {bit} from worth l join worth r on l.key = r.key and l.id < r.id
"""
PAIR = """
    create or replace temp table pair as
    select a, b, bit_or(found) as found from hit group by a, b
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A rule as a model pins it: what it compares, and the keys that are too common for it.

    `largest` is how many records the commonest key has that is compared; 0 of a rule that was not
    looked at, because others had made all comparisons by then.
    """

    rule: str
    comparisons: int
    stopped: tuple[int, ...] = ()
    refused_comparisons: int = 0
    largest: int = 0

    @property
    def is_used(self) -> bool:
        """Whether the rule compares anything; without budget it stands for the record alone."""
        return self.comparisons > 0


def key_sql(rule: BlockingRule) -> str:
    """A number that two records share exactly when they agree in every key of a rule, or null."""
    parts = " || chr(31) || ".join(f"({_part(key)})" for key in rule.keys)
    return f"md5_number_lower({parts})"


def told_sql(rule: BlockingRule) -> str:
    """Whether a record has a key by a rule; cheaper than the key."""
    return " and ".join(f"({_part(key)}) is not null" for key in rule.keys)


def _part(key: Key) -> str:
    column = key.column
    if column == "names":
        return NAMES
    if key.part is None:
        whole = f"case when length({column}) = 8 then {column} end"
        return whole if column == "birth_date" else column
    if key.part == "sound":
        return f"{column}_sound"
    if key.part in DATE_PARTS:
        return DATE_PARTS[key.part].format(column)
    letters = int(key.part)
    cut = f"left({column}, {letters})" if letters > 0 else f"right({column}, {-letters})"
    return f"case when length({column}) >= {abs(letters)} then {cut} end"


def choose_pairs(
    engine: "DuckDBPyConnection", rules: Iterable[BlockingRule], comparisons: int
) -> list[Block]:
    """Makes `pair` of what the rules find, each tightened until all make few enough comparisons."""
    engine.execute(HITS)
    left, blocks = comparisons, []
    for place, rule in enumerate(rules):
        block = Block(rule.name, 0)
        if left > comparisons * SPENT:
            _keys(engine, rule)
            block = _bounded(engine, rule, min(left, int(comparisons * SHARE_OF_A_RULE)))
        if block.is_used:
            _join(engine, place, block)
        left -= block.comparisons
        blocks.append(block)
    engine.execute(PAIR)
    return blocks


def pinned_pairs(
    engine: "DuckDBPyConnection", rules: Sequence[BlockingRule], blocks: Sequence[Block]
) -> None:
    """Makes `pair` of what a model's blocks find."""
    engine.execute(HITS)
    for place, (rule, block) in enumerate(zip(rules, blocks, strict=True)):
        if block.is_used:
            _keys(engine, rule)
            _join(engine, place, block)
    engine.execute(PAIR)


def _keys(engine: "DuckDBPyConnection", rule: BlockingRule) -> None:
    engine.execute(KEYS.format(key=key_sql(rule), told=told_sql(rule)))
    engine.execute(SIZES)


def _bounded(engine: "DuckDBPyConnection", rule: BlockingRule, bound: int) -> Block:
    largest = count(engine, LARGEST.format(bound=bound))
    stopped = engine.execute(
        "select key from block_size where records > ? order by key", [largest]
    ).fetchall()
    comparisons = count(engine, PAIRS.format(of=f"<= {largest}"))
    return Block(
        rule=rule.name,
        comparisons=comparisons,
        stopped=tuple(int(key) for (key,) in stopped) if comparisons else (),
        refused_comparisons=count(engine, PAIRS.format(of=f"> {largest}")),
        largest=largest,
    )


def _join(engine: "DuckDBPyConnection", place: int, block: Block) -> None:
    engine.execute(
        "create or replace temp table stop as select unnest(?::ubigint[]) as key",
        [list(block.stopped)],
    )
    engine.execute(JOIN.format(bit=1 << place))
