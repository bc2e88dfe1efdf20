"""Facts: each anchor whose base the run changed, if a reader would see a difference.

And each anchor of a copy that lost: the live loop took it before anybody knew. And each of whose
events age took something.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import pyarrow as pa

from stamgast.identity.event import SHORT_ID_LENGTH
from stamgast.moments import ms_of
from stamgast.profile.facts import ShortId
from stamgast.profile.items import Base
from stamgast.profile.ring import RunIds
from stamgast.profile.steps import is_worth_publishing, publish_anchor, publish_new
from stamgast.profile.store import Pair
from stamgast_lake.facts_json import Sourced, from_json, to_json
from stamgast_lake.logs import keep, latest, see, see_fresh
from stamgast_lake.publishing.live import LiveBases, settle_anchors
from stamgast_lake.publishing.lost_copies import find_lost
from stamgast_lake.publishing.memberships import find_changed
from stamgast_lake.publishing.work import Publisher, Task
from stamgast_lake.retention.aged import owed
from stamgast_lake.tables import ANCHORS, EVENTS, IDENTITY

ANCHORS_A_PAGE = 400
INSERTED_AT_ONCE = 50
NOTHING = Pair()
OLD = timedelta(days=30)  # a tail that reads right may wait: each publish costs two writes
NOTHING_TOLD = to_json(Sourced()).decode()
UNFOUNDED = """
    create or replace temp view unfounded as
    select anchor_key, message_key from lost_copy where anchor_key is not null
    union select anchor_key, message_key from aged
"""
# Anchors of one new person stand side by side: their page settles that person, once.
CHANGED = """
    create or replace temp table changed_anchor as
    with touched as (
        select anchor_key from {fresh} union select anchor_key from unfounded
    ), placed as (
        select anchor_key, concat(coalesce(person_id, ''), ' ', anchor_key) as place
        from touched left join (
            select identifier, max(person_id) as person_id from fresh_identity group by identifier
        ) mine on mine.identifier = touched.anchor_key
    )
    select placed.anchor_key, placed.place, coalesce(facts, '{nothing}') as facts
    from placed left join anchor_now on anchor_now.anchor_key = placed.anchor_key
    where placed.place > '{after}'
"""
IDS = f"""
    create or replace temp table run_id_of_anchor as
    select anchor_key, substr(message_key, 1, {SHORT_ID_LENGTH}) as short,
        case when has_own_time then epoch_ms(original_at) end as original_ms, false as is_lost
    from events where anchor_key in (select anchor_key from changed_anchor)
    union all
    select anchor_key, substr(message_key, 1, {SHORT_ID_LENGTH}), cast(null as bigint), true
    from unfounded
"""
PAGE = "select place, anchor_key, facts from changed_anchor where place > ? order by 1 limit ?"
IDS_OF_PAGE = """
    select anchor_key, short, original_ms, is_lost from run_id_of_anchor
    where anchor_key in (select anchor_key from page_anchor)
"""


def publish_anchors(task: Task) -> Iterator[str]:
    """Publishes page after page of anchors; yields the last place of each."""
    engine, lake = task.engine, task.publisher.lake
    bases = LiveBases.begun(task)
    if bases is not None:
        find_changed(task)
    task.see_runs()
    see(engine, lake, ANCHORS, EVENTS)
    see_fresh(engine, lake, ANCHORS, IDENTITY)
    find_lost(task)
    task.once("aged", lambda: keep(engine, "aged", owed(engine, lake, task.run.run_id)))
    latest(engine, "anchors", "anchor_key", "anchor_now")
    engine.execute(UNFOUNDED)
    touched = "anchor_now" if bases is not None and bases.is_new else task.fresh("anchors")
    # What the version before left off at was an anchor alone: its pages are gone through again.
    last = task.after if " " in task.after else ""
    told = {"after": last, "fresh": touched, "nothing": NOTHING_TOLD}
    engine.execute(CHANGED.format(**told))
    engine.execute(IDS)
    if bases is not None and bases.rules.plan.tracked:
        bases.sums.make("changed_anchor")
    while rows := engine.execute(PAGE, [last, ANCHORS_A_PAGE]).fetchall():
        last = rows[-1][0]
        _publish_page(task, {anchor: facts for _, anchor, facts in rows}, bases)
        yield last
    if bases is not None:
        bases.finish(task.run.seq)


def _publish_page(task: Task, texts: dict[str, str], bases: LiveBases | None) -> None:
    publisher = task.publisher
    pairs = publisher.facts.read(list(texts))
    ids = _ids(task, texts)
    sums = bases.page() if bases is not None else {}
    moment_ms = ms_of(task.run.moment)
    oldest_ms = ms_of(task.run.moment - OLD)

    def base_of(anchor: str) -> Base | None:
        """What is to be published; None where a reader sees it already."""
        pair: Pair = pairs[anchor]
        facts = from_json(texts[anchor]).facts
        measured = {} if bases is None else bases.measured(sums, anchor)
        is_same = bases is None or bases.is_seen(pair, measured)
        if is_same and not is_worth_publishing(pair, facts, moment_ms, oldest_ms, ids[anchor].lost):
            return None
        return Base(task.run.seq, 0, moment_ms, facts, measured)

    wanted = {anchor: base for anchor in texts if (base := base_of(anchor)) is not None}
    written = _publish(publisher, wanted, ids, pairs)
    if bases is not None and not task.is_whole:
        settle_anchors(task, bases.rules, written)
    task.figures["anchors"] += len(written)
    task.figures["anchors_same"] += len(texts) - len(written)


def _publish(
    publisher: Publisher,
    wanted: Mapping[str, Base],
    ids: Mapping[str, RunIds],
    pairs: Mapping[str, Pair],
) -> set[str]:
    """The anchors whose base is another one now: first the new ones, then one by one."""
    new = [anchor for anchor in wanted if pairs[anchor] == NOTHING]
    shares = [new[n : n + INSERTED_AT_ONCE] for n in range(0, len(new), INSERTED_AT_ONCE)]

    def insert(share: Sequence[str]) -> set[str]:
        return publish_new(publisher.facts, {a: (wanted[a], ids[a]) for a in share})

    def work(anchor: str) -> bool:
        known = None if anchor in new_ones else pairs[anchor]
        store, pause = publisher.facts, publisher.pause
        return publish_anchor(store, anchor, wanted[anchor], ids[anchor], pause, known)

    new_ones = set(new)
    done = set[str]().union(*publisher.each(insert, shares))
    left = [anchor for anchor in wanted if anchor not in done]
    told = publisher.each(work, left)
    return done | {anchor for anchor, is_done in zip(left, told, strict=True) if is_done}


def _ids(task: Task, anchors: dict[str, str]) -> dict[str, RunIds]:
    """The messages that the run has of each anchor; those without a time enter no ring."""
    keep(task.engine, "page_anchor", pa.table({"anchor_key": list(anchors)}))
    keys: defaultdict[str, set[str]] = defaultdict(set)
    lost: defaultdict[str, set[str]] = defaultdict(set)
    placed: defaultdict[str, list[ShortId]] = defaultdict(list)
    for anchor, short, original_ms, is_lost in task.engine.execute(IDS_OF_PAGE).fetchall():
        keys[anchor].add(short)
        if is_lost:
            lost[anchor].add(short)
        if original_ms is not None:
            placed[anchor].append(ShortId(original_ms, short))
    return {
        anchor: RunIds(RunIds.of(placed[anchor]).newest, keys[anchor], lost[anchor])
        for anchor in anchors
    }
