"""Pairs of devices that share a rare address, and what is measured of them before a cut-off.

A device begins pairs at its five rarest addresses alone, and an address with more than `cap`
devices begins none: at most 5·(cap - 1)/2 pairs a device, whatever the history.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from stamgast.identity.device_features import FEATURES, PANEL_DAYS, SCORED_PANEL
from stamgast.identity.link_settings import DeviceSettings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RAREST_ADDRESSES = 5
MOST_PAIRS = 2_000_000
COMMON_PAGE = 200

ACTIVE = """
    create or replace temp table active as
    select device, sum(n) as events, max_by(agent, hour) as agent, max_by(locale, hour) as locale,
        max_by(zone, hour) as zone,
        sum(n) filter (where isodow(hour) >= 6) / sum(n) as weekend
    from cell where hour >= {since} and hour < {cut} group by device
"""
PLACES = """
    create or replace temp table place as
    select *, ln(1 + n) * ln(1 + (select count(*) from active) / devices) as weight from (
        select *, count(*) over (partition by ip) as devices from (
            select device, ip, sum(n) as n from cell
            where ip is not null and hour >= {since} and hour < {cut} group by device, ip
        )
    )
"""
RARE = """
    create or replace temp table rare as
    select device, ip from (
        select device, ip, row_number() over (
            partition by device order by devices, n desc, ip) as nth
        from place where devices between 2 and {cap}
    ) where nth <= {rarest}
"""
TIMED = """
    create or replace temp table side as
    select rare.device, rare.ip, coalesce(login.known_at < {cut}, false) as was_known,
        login.known_at, device_person.person_id, coalesce(device_person.is_known, false) as is_known
    from rare left join login on login.device = rare.device
    left join device_person on device_person.device = rare.device
"""
LABELLED = """x.was_known and not y.was_known and y.known_at < {until}
        and x.person_id is not null and y.person_id is not null"""
SCORED = """x.is_known and not y.is_known and x.person_id is distinct from y.person_id"""
PAIRS = """
    create or replace temp table pair as
    select least(x.device, y.device) as a, greatest(x.device, y.device) as b,
        max(case when {is_labelled} then cast(x.person_id = y.person_id as integer) else -1 end)
            as label
    from side x join side y on x.ip = y.ip and x.device <> y.device and {which}
    group by 1, 2
    having (a, b) not in (select (a, b) from named_together)
"""
ADDRESSES = """
    create or replace temp table by_address as
    select a, b, sum(1 / ln(x.devices)) as weight, max(1 / ln(x.devices)) as rarest,
        sum(x.weight * y.weight) as product
    from pair join place x on x.device = pair.a join place y on y.device = pair.b and y.ip = x.ip
    group by a, b
"""
NORMS = """
    create or replace temp table norm as
    select device, sqrt(sum(weight * weight)) as norm from place group by device
"""
HOURS = """
    create or replace temp table present as
    select device, ip, hour, count(*) over (partition by ip, hour) as devices
    from cell where ip is not null and hour >= {since} and hour < {cut}
      and device in (select a from pair union select b from pair)
"""
TOGETHER = """
    create or replace temp table by_hour as
    select a, b, sum(1 / ln(x.devices)) as hours, count(distinct date_trunc('day', x.hour)) as days
    from pair join present x on x.device = pair.a
    join present y on y.device = pair.b and y.ip = x.ip and y.hour = x.hour
    group by a, b
"""
RHYTHM = """
    create or replace temp table rhythm as
    select device, slot, n / sqrt(sum(n * n) over (partition by device)) as share from (
        select device, hour(hour) as slot, sum(n) as n from cell
        where hour >= {since} and hour < {cut}
          and device in (select a from pair union select b from pair)
        group by device, slot
    )
"""
RHYTHMS = """
    create or replace temp table by_rhythm as
    select a, b, sum(x.share * y.share) as alike
    from pair join rhythm x on x.device = pair.a
    join rhythm y on y.device = pair.b and y.slot = x.slot
    group by a, b
"""
VIEWED = """
    create or replace temp table viewed as
    select * from (
        select device, what, count(*) over (partition by what) as devices from (
            select distinct device, what from item where hour >= {since} and hour < {cut}
        )
    ) where devices between 2 and {common}
"""
PAGES = """
    create or replace temp table by_page as
    select a, b, sum(1 / ln(x.devices)) as weight
    from pair join viewed x on x.device = pair.a
    join viewed y on y.device = pair.b and y.what = x.what
    group by a, b
"""
SYSTEM = """case when {side}.agent is null then null
    when regexp_matches({side}.agent, '(?i)iphone|ipad|ios') then 'ios'
    when regexp_matches({side}.agent, '(?i)android') then 'android'
    when regexp_matches({side}.agent, '(?i)windows') then 'windows'
    when regexp_matches({side}.agent, '(?i)mac os|macintosh|darwin') then 'mac'
    when regexp_matches({side}.agent, '(?i)linux|x11') then 'linux' end"""
SAME = "coalesce(case when {x} = {y} then 1.0 when {x} <> {y} then -1.0 end, 0.0)"
MEASURED = """
    select pair.a, pair.b, cast({panel} as integer) as panel, {cut} as cut_at, pair.label,
        {measures}
    from pair
    join active x on x.device = pair.a join active y on y.device = pair.b
    join by_address on by_address.a = pair.a and by_address.b = pair.b
    join norm nx on nx.device = pair.a join norm ny on ny.device = pair.b
    left join by_hour on by_hour.a = pair.a and by_hour.b = pair.b
    left join by_rhythm on by_rhythm.a = pair.a and by_rhythm.b = pair.b
    left join by_page on by_page.a = pair.a and by_page.b = pair.b
    order by by_address.weight desc, pair.a, pair.b limit {most}
"""
MEASURES = {
    "address_weight": "ln(1 + by_address.weight)",
    "rarest_address": "by_address.rarest",
    "address_cosine": "by_address.product / (nx.norm * ny.norm)",
    "hours_together": "ln(1 + coalesce(by_hour.hours, 0))",
    "days_together": "ln(1 + coalesce(by_hour.days, 0))",
    "same_rhythm": "coalesce(by_rhythm.alike, 0)",
    "weekend_gap": "abs(coalesce(x.weekend, 0) - coalesce(y.weekend, 0))",
    "same_system": SAME.format(x=SYSTEM.format(side="x"), y=SYSTEM.format(side="y")),
    "same_agent": SAME.format(x="x.agent", y="y.agent"),
    "same_locale": SAME.format(x="x.locale", y="y.locale"),
    "same_zone": SAME.format(x="x.zone", y="y.zone"),
    "page_weight": "ln(1 + coalesce(by_page.weight, 0))",
    "volume": "ln(1 + least(x.events, y.events))",
    "imbalance": "ln(greatest(x.events, y.events) / least(x.events, y.events))",
}
STEPS = (ACTIVE, PLACES, RARE, TIMED, PAIRS, ADDRESSES, NORMS, HOURS, TOGETHER)
MORE_STEPS = (RHYTHM, RHYTHMS, VIEWED, PAGES)


@dataclass(frozen=True, slots=True)
class Panel:
    """Devices as they were before `cut_at`; labelled by the log-ins from then until `until`."""

    number: int
    cut_at: datetime
    until: datetime


def panels(moment: datetime, settings: DeviceSettings, is_training: bool) -> list[Panel]:
    """The panel to score, and for training one for each week of the history, newest first.

    Cut-offs lie on whole hours, so that an hour's events never fall on both sides.
    """
    last = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    weeks = settings.history_days // PANEL_DAYS if is_training else 0
    ends = [last - timedelta(days=PANEL_DAYS * number) for number in range(weeks + 1)]
    return [
        Panel(number, cut_at, ends[number - 1] if number else last)
        for number, cut_at in enumerate(ends)
    ]


def measure(
    engine: "DuckDBPyConnection", settings: DeviceSettings, panel: Panel, into: str
) -> None:
    """Makes temporary table `into`: the pairs of a panel with their features and label.

    Reads the tables of `gather_devices`, and of those nothing from the cut-off on but log-ins, for
    the label. A pair has one device that had logged in before the cut-off and one that had not.
    """
    told = {
        "cut": _moment(panel.cut_at),
        "until": _moment(panel.until),
        "since": _moment(panel.cut_at - timedelta(days=settings.window_days)),
        "cap": settings.address_devices,
        "rarest": RAREST_ADDRESSES,
        "common": COMMON_PAGE,
    }
    is_scored = panel.number == SCORED_PANEL
    which = (SCORED if is_scored else LABELLED).format(**told)
    label = {"is_labelled": "false" if is_scored else "true", "which": which}
    for step in (*STEPS, *MORE_STEPS):
        engine.execute(step.format(**told, **label))
    measures = ", ".join(f"round({MEASURES[name]}, 6) as {name}" for name in FEATURES)
    rows = MEASURED.format(panel=panel.number, cut=told["cut"], measures=measures, most=MOST_PAIRS)
    engine.execute(f"create or replace temp table {into} as {rows}")


def _moment(at: datetime) -> str:
    return f"cast('{at.isoformat()}' as timestamptz)"
