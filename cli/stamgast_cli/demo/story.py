"""From baskets and households to events: which identifiers each purchase was seen with."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from stamgast_cli.demo.households import SEED, Household, spelled_otherwise, typed_wrong
from stamgast_cli.demo.purchases import Basket, Purchases

TYPOS, OTHER_SPELLINGS = 0.05, 0.1
RECEIPT_BY_MAIL, KIOSK, WEB, APP, GUEST = 0.08, 0.15, 0.28, 0.5, 0.06
KIOSKS = 5
NOBODY = "anonymous"
"""What our tills send for a customer whom they do not know; it is blocked, so it links nobody."""


@dataclass(frozen=True, slots=True)
class Act:
    """One event of the story, in the words of a client's call."""

    call: str
    message_id: str
    household: int
    at: datetime
    is_live: bool
    user_id: str | None = None
    anonymous_id: str | None = None
    loyalty_card: str | None = None
    email: str | None = None
    phone: str | None = None
    device_id: str | None = None
    channel: str = "store"
    basket: Basket | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identifiers(self) -> Iterator[tuple[str, str]]:
        """What the event names, as anybody would normalise it."""
        told = {
            "user_id": self.user_id,
            "loyalty_card": self.loyalty_card,
            "email": self.email and self.email.strip().lower(),
            "phone": self.phone,
            "device_id": self.device_id,
            "anonymous_id": self.anonymous_id if self.anonymous_id != NOBODY else None,
        }
        return ((name, value) for name, value in told.items() if value)


def tell(
    purchases: Purchases,
    households: Mapping[int, Household],
    live: frozenset[int],
    *,
    is_whole: bool = False,
) -> list[Act]:
    """All events in the order of their times; of the last weeks those of `live` households.

    If it `is_whole`, the other households' last weeks are there, too, but not live.
    """
    kiosks = _kiosks(purchases.baskets)
    acts: list[Act] = []
    for group in _by_household(purchases.baskets):
        household = households[group[0].household]
        draw = random.Random(f"{SEED}/story/{household.number}")  # noqa: S311
        if is_whole and household.number not in live:
            group = [replace(basket, is_live=False) for basket in group]
        told = list(_acts(group, household, draw, kiosks, purchases))
        acts += [act for act in told if not act.is_live or act.household in live]
    return sorted(acts, key=lambda act: (act.at, act.message_id))


def _acts(
    baskets: Sequence[Basket],
    household: Household,
    draw: random.Random,
    kiosks: Mapping[str, str],
    purchases: Purchases,
) -> Iterator[Act]:
    sign_up, greeted = household.signed_up_at, ""
    for basket in baskets:
        if sign_up is not None and sign_up <= basket.at:
            yield _sign_up(household, sign_up, basket.is_live, purchases)
            sign_up = None
        act = _purchase(basket, household, draw, kiosks)
        if act.channel == "web" and act.is_live:
            yield _page(act, 1)
            if act.user_id and act.anonymous_id != greeted:
                greeted = act.anonymous_id or ""
                yield _log_in(act)
        yield act


def _purchase(
    basket: Basket, household: Household, draw: random.Random, kiosks: Mapping[str, str]
) -> Act:
    """Members buy in the web shop and the app too; the rest at a till, or as a web guest."""
    chance = draw.random()
    is_member = household.is_member_at(basket.at)
    if is_member and chance < WEB:
        known: dict[str, Any] = {"user_id": household.user_id, "channel": "web"}
        known["anonymous_id"] = household.cookie_at(basket.at)
    elif is_member and household.device_id and chance < APP:
        known = {"user_id": household.user_id, "channel": "app", "device_id": household.device_id}
    elif not is_member and chance < GUEST:
        known = {"email": _typed(household.email, draw), "channel": "web"}
        known["anonymous_id"] = household.cookie_at(basket.at)
    else:
        known = _at_the_till(basket, household, draw, kiosks)
    message_id = f"basket-{basket.basket_id}"
    return Act(
        "track", message_id, household.number, basket.at, basket.is_live, basket=basket, **known
    )


def _at_the_till(
    basket: Basket, household: Household, draw: random.Random, kiosks: Mapping[str, str]
) -> dict[str, Any]:
    known: dict[str, Any] = {"anonymous_id": NOBODY, "loyalty_card": household.loyalty_card}
    if household.loyalty_card is None or draw.random() < RECEIPT_BY_MAIL:
        known["email"] = _typed(household.email, draw)
    if basket.store_id in kiosks and draw.random() < KIOSK:
        known["device_id"] = kiosks[basket.store_id]
    return known


def _typed(email: str, draw: random.Random) -> str:
    chance = draw.random()
    if chance < TYPOS:
        return typed_wrong(email, draw)
    return spelled_otherwise(email, draw) if chance < TYPOS + OTHER_SPELLINGS else email


def _sign_up(household: Household, at: datetime, is_live: bool, purchases: Purchases) -> Act:
    return Act(
        *("identify", f"sign-up-{household.number}", household.number, at, is_live),
        user_id=household.user_id,
        anonymous_id=household.cookie_at(at),
        loyalty_card=household.loyalty_card,
        email=household.email,
        phone=household.phone,
        channel="web",
        traits=purchases.demographics.get(household.number, {}),
    )


def _page(act: Act, minutes: int) -> Act:
    return Act(
        *("page", f"page-{act.message_id}", act.household),
        *(act.at - timedelta(minutes=minutes + 2), act.is_live),
        anonymous_id=act.anonymous_id,
        channel="web",
    )


def _log_in(act: Act) -> Act:
    return Act(
        *("identify", f"log-in-{act.message_id}", act.household),
        *(act.at - timedelta(minutes=1), act.is_live),
        user_id=act.user_id,
        anonymous_id=act.anonymous_id,
        channel="web",
    )


def _kiosks(baskets: Sequence[Basket]) -> dict[str, str]:
    """The busiest stores have a kiosk that everybody there uses."""
    busiest = Counter(basket.store_id for basket in baskets).most_common(KIOSKS)
    return {store: f"kiosk-{store}" for store, _ in busiest}


def _by_household(baskets: Sequence[Basket]) -> Iterator[list[Basket]]:
    group: list[Basket] = []
    for basket in baskets:
        if group and group[0].household != basket.household:
            yield group
            group = []
        group.append(basket)
    if group:
        yield group
