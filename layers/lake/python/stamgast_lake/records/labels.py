"""What log-ins said later of pairs that a run had scored: one person, or two.

A pair counts with the last score that it had before its label, so that nothing of the label is in
the score. Positive is a pair that deterministic evidence made one person since; negative one whose
sides are two persons that have both logged in, the second of them since the score.
"""

from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.identity.links import LOGGED_IN, LinkKind
from stamgast.identity.settings import IdentitySettings
from stamgast_lake.logs import keep

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAYS_A_PANEL = 7
LOGGED_IN_AT = """
    create or replace temp table logged_in_at as
    select now.person_id as person, min(first_at) as first_at from (
        select identifier, min(recorded_at) as first_at from identity
        where namespace in (select name from record_login) group by identifier
    ) join identity_now now using (identifier)
    where now.person_id is not null group by now.person_id
"""
VERDICTS = """
    create or replace temp view record_verdict as
    select scored.*, pa.person_id = pb.person_id as is_one,
        case when pa.person_id = pb.person_id then greatest(pa.recorded_at, pb.recorded_at)
            else greatest(la.first_at, lb.first_at) end as labelled_at
    from scored_pair scored
    join identity_now pa on pa.identifier = scored.key_a and pa.person_id is not null
    join identity_now pb on pb.identifier = scored.key_b and pb.person_id is not null
    left join logged_in_at la on la.person = pa.person_id
    left join logged_in_at lb on lb.person = pb.person_id
    where pa.person_id = pb.person_id or (la.person is not null and lb.person is not null)
"""
LABELS = """
    select max_by(probability, scored_at) as probability, cast(is_one as integer) as label,
        cast(floor(date_diff('second', labelled_at, {moment}) / 86400.0 / {days}) as bigint)
            as panel
    from record_verdict
    where labelled_at > scored_at and labelled_at <= {moment}
    group by least(key_a, key_b), greatest(key_a, key_b), is_one, labelled_at
    order by panel desc, probability, label
"""


def labels_of(
    engine: "DuckDBPyConnection", pairs: str, settings: IdentitySettings, moment: str
) -> pa.Table:
    """The labelled pairs of relation `pairs` (key_a, key_b, probability, scored_at).

    Columns: probability, label and panel, the whole weeks between label and moment. Needs the views
    `identity` and `identity_now`.
    """
    names = [one.name for one in settings.namespaces if one.kind in LOGGED_IN[LinkKind.RECORD]]
    keep(engine, "record_login", pa.table({"name": pa.array(names, pa.string())}))
    engine.execute(f"create or replace temp view scored_pair as select * from {pairs}")
    engine.execute(LOGGED_IN_AT)
    engine.execute(VERDICTS)
    return engine.sql(LABELS.format(moment=moment, days=DAYS_A_PANEL)).to_arrow_table()
