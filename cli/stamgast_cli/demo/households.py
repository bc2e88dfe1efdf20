"""The GENERATED identity layer: by what each real household could have been recognised.

Nothing here is in the purchases. It is drawn from a seed, the same on every run: accounts, loyalty
cards, e-mail addresses with their typing errors, phone numbers, cookies that are replaced, devices
that two households share, and kiosks that half a town uses. Addresses are of example domains
(RFC 2606), phone numbers of the fictional 555-01xx range.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

SEED = 20171101
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
DOMAINS = ("example.org", "example.net", "example.com")
WITH_ACCOUNT, WITH_CARD, WITH_PHONE, WITH_APP = 0.7, 0.93, 0.6, 0.35
SHARED_TABLETS = 24
COOKIE_DAYS = (40, 130)


@dataclass(frozen=True, slots=True)
class Household:
    """How one household shows itself; `cookies` are (first day, anonymous id), oldest first."""

    number: int
    email: str
    loyalty_card: str | None
    user_id: str | None
    signed_up_at: datetime | None
    phone: str | None
    device_id: str | None
    cookies: tuple[tuple[datetime, str], ...]

    def cookie_at(self, at: datetime) -> str:
        """The cookie in the household's browser at a moment."""
        return next(value for since, value in reversed(self.cookies) if since <= at)

    def is_member_at(self, at: datetime) -> bool:
        """Whether the household had an account by then."""
        return self.signed_up_at is not None and self.signed_up_at <= at


def generate(
    numbers: list[int], first: datetime, last: datetime, seed: int = SEED
) -> dict[int, Household]:
    """A household for each number, each drawn from its own seed."""
    tablets = _tablets(numbers, seed)
    return {
        number: _household(number, place, first, last, seed, tablets.get(number))
        for place, number in enumerate(sorted(numbers))
    }


def typed_wrong(email: str, draw: random.Random) -> str:
    """The address as a hurried customer types it: two letters swapped, or one left out."""
    name, _, domain = email.partition("@")
    at = draw.randrange(1, len(name) - 1)
    if draw.random() < 0.5:
        return f"{name[: at - 1]}{name[at]}{name[at - 1]}{name[at + 1 :]}@{domain}"
    return f"{name[:at]}{name[at + 1 :]}@{domain}"


def spelled_otherwise(email: str, draw: random.Random) -> str:
    """The same address in capitals or with a blank, which normalisation undoes."""
    return draw.choice((email.upper(), f" {email}", email.capitalize()))


def _household(
    number: int, place: int, first: datetime, last: datetime, seed: int, tablet: str | None
) -> Household:
    draw = random.Random(f"{seed}/{number}")  # noqa: S311  a seeded draw, no secret
    has_account = draw.random() < WITH_ACCOUNT
    signed_up_at = None
    if has_account:
        signed_up_at = first + (last - first) * (draw.random() * 0.9)
    own_device = f"device-{_word(draw, 12)}" if draw.random() < WITH_APP else None
    return Household(
        number=number,
        email=f"{_word(draw, 5)}.{number}@{draw.choice(DOMAINS)}",
        loyalty_card=f"42{number:05d}{draw.randrange(10**6):06d}"
        if draw.random() < WITH_CARD
        else None,
        user_id=f"U{_word(draw, 9)}" if has_account else None,
        signed_up_at=signed_up_at,
        phone=f"+1{201 + place // 100}55501{place % 100:02d}"
        if draw.random() < WITH_PHONE
        else None,
        device_id=tablet or own_device,
        cookies=_cookies(draw, first, last),
    )


def _cookies(
    draw: random.Random, first: datetime, last: datetime
) -> tuple[tuple[datetime, str], ...]:
    since, found = first - timedelta(days=1), []
    while since <= last:
        found.append((since, f"cookie-{_word(draw, 16)}"))
        since += timedelta(days=draw.randint(*COOKIE_DAYS))
    return tuple(found)


def _tablets(numbers: list[int], seed: int) -> dict[int, str]:
    """A few pairs of households with one tablet between them: what nobody can tell apart."""
    draw = random.Random(f"{seed}/tablets")  # noqa: S311
    chosen = draw.sample(sorted(numbers), min(2 * SHARED_TABLETS, len(numbers) // 2 * 2))
    return {number: f"tablet-{place // 2:03d}" for place, number in enumerate(chosen)}


def _word(draw: random.Random, length: int) -> str:
    return "".join(draw.choice(ALPHABET) for _ in range(length))
