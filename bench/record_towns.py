"""Generated towns that are harder than bench/generated_records.py: sources leave out, people share.

Names are syllables, places are numbers: nobody real is meant. In `families` people have two
surnames, children one of each parent, and part of a home shares its e-mail. In `firms` names are
Cyrillic, some records stand at the firm's address with its telephone and its mailbox, and part of
the birth dates are years. A person has one to six records, none of a source that asks for all.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from bench.generated_records import Person, common, mistyped

COLUMNS = (
    "given_name", "surname", "birth_date", "house", "street", "street_2",
    "locality", "postcode", "email", "phone",
)  # fmt: skip
COPIES, OF_COPIES = (1, 2, 3, 4, 5, 6), (60, 19, 9, 6, 4, 2)
MISTAKES = 0.05


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a town is like; `sources` tell the share that each does not know of a column."""

    consonants: str
    vowels: str
    endings: str
    sources: tuple[Mapping[str, float], ...]
    has_two_surnames: bool = False
    mailboxes: float = 0.0
    firms: float = 0.0
    years: float = 0.0


KINDS = {
    "families": Kind(
        consonants="b c d f g j l m n p r s t v z ll rr ñ ch",
        vowels="a e i o u ia ue",
        endings="ez o a ar án",
        has_two_surnames=True,
        mailboxes=0.06,
        sources=(
            {"birth_date": 0.1, "phone": 0.2, "email": 0.4},
            {"birth_date": 0.97, "phone": 0.3, "email": 0.05},
            {"birth_date": 0.35, "phone": 0.6, "email": 0.6, "street": 0.4, "house": 0.45},
            {"birth_date": 0.8, "email": 0.8, "street": 0.5, "house": 0.55, "postcode": 0.3},
        ),
    ),
    "firms": Kind(
        consonants="б в г д ђ ж з ј к л љ м н њ п р с т ћ ц ч ш",
        vowels="а е и о у",
        endings="вић ић ски ац",
        firms=0.3,
        years=0.06,
        sources=(
            {"birth_date": 0.3, "phone": 0.2, "email": 0.15},
            {"birth_date": 0.85, "phone": 0.6, "email": 0.5, "house": 0.4, "postcode": 0.3},
            {"birth_date": 0.85, "email": 0.5, "given_name": 0.12, "street": 0.4, "house": 0.4},
        ),
    ),
}


def town(name: str, size: int, seed: int) -> pa.Table:
    """`size` records with `record_id`, `truth` and the comparison columns, in random order."""
    dice, rows = random.Random(seed), []
    for number, records in enumerate(_people(dice, KINDS[name], size)):
        rows += [{"truth": str(number), **record} for record in records]
        if len(rows) >= size:
            break
    dice.shuffle(rows)
    told = {one: [row.get(one) or None for row in rows[:size]] for one in ("truth", *COLUMNS)}
    return pa.table({"record_id": [f"r{place}" for place in range(size)], **told})


def _people(dice: random.Random, kind: Kind, size: int) -> Iterator[list[Person]]:
    """The records of each person, home by home."""
    given = [_word(dice, kind, 2) for _ in range(600)]
    surnames = [_word(dice, kind, 2) + dice.choice(kind.endings.split()) for _ in range(3_000)]
    places = [(_word(dice, kind, 3), f"{11_000 + 35 * n}") for n in range(250)]
    streets = [_word(dice, kind, 3) for _ in range(1_000)]
    firms = [_firm(dice, kind, n, places, streets) for n in range(max(20, size // 400))]
    while True:
        home = _address(dice, places, streets)
        members = dice.choices((1, 2, 3, 4, 5), weights=(40, 28, 14, 12, 6))[0]
        names = [surnames[common(dice, len(surnames))] for _ in range(4)]
        line = str(dice.randrange(10**7, 2 * 10**7))
        mailbox = ""
        for place in range(members):
            name = given[common(dice, len(given))]
            person = {**home, **_own(dice, name, _surname(names, place, kind)), "given_name": name}
            mailbox = mailbox or person["email"]
            person |= {"phone": line} if dice.random() < 0.25 else {}
            person |= {"email": mailbox} if dice.random() < kind.mailboxes else {}
            firm = firms[common(dice, len(firms))] if dice.random() < kind.firms else {}
            yield [_record(dice, kind, person, firm) for _ in range(_copies(dice))]


def _surname(names: list[str], place: int, kind: Kind) -> str:
    """The first two of a home are a couple; whoever comes after is their child."""
    if not kind.has_two_surnames:
        return names[place == 1]
    told = ((names[0], names[1]), (names[2], names[3]), (names[0], names[2]))
    return " ".join(told[min(place, 2)])


def _own(dice: random.Random, given: str, surname: str) -> Person:
    last = surname.split()[0]
    month, day = dice.randint(1, 12), dice.randint(1, 28)
    local = dice.choice((f"{given}.{last}", f"{given[0]}{last}", f"{given}{last}"))
    return {
        "surname": surname,
        "birth_date": f"{dice.randint(1940, 2006)}-{month:02}-{day:02}",
        "email": f"{local}{dice.randrange(300)}@mail{dice.randrange(4)}.example",
        "phone": f"6{dice.randrange(10**8):08}",
    }


def _firm(
    dice: random.Random, kind: Kind, n: int, places: list[tuple[str, str]], streets: list[str]
) -> Person:
    phone, mailbox = f"3{dice.randrange(10**7):07}", f"office@firm{n}.example"
    own = {"street_2": _word(dice, kind, 3), "phone": phone, "email": mailbox}
    return {**_address(dice, places, streets), **own}


def _address(dice: random.Random, places: list[tuple[str, str]], streets: list[str]) -> Person:
    locality, postcode = places[common(dice, len(places))]
    house = str(1 + int(dice.expovariate(1 / 30)))
    street = dice.choice(streets)
    return {"locality": locality, "postcode": postcode, "street": street, "house": house}


def _record(dice: random.Random, kind: Kind, person: Person, firm: Person) -> Person:
    """What one source wrote down of a person, at home or at work."""
    told = dict(person)
    if firm and dice.random() < 0.5:
        own = ("email",) if dice.random() < 0.8 else ()
        told |= {name: value for name, value in firm.items() if name not in own}
    if dice.random() < kind.years:
        told["birth_date"] = told["birth_date"][:4]
    if kind.has_two_surnames and dice.random() < 0.25:
        told["surname"] = told["surname"].split()[0]
    unknown = dice.choice(kind.sources)
    return {
        name: mistyped(dice, value) if dice.random() < MISTAKES else value
        for name, value in told.items()
        if dice.random() >= unknown.get(name, 0.02)
    }


def _copies(dice: random.Random) -> int:
    return dice.choices(COPIES, weights=OF_COPIES)[0]


def _word(dice: random.Random, kind: Kind, syllables: int) -> str:
    consonants, vowels = kind.consonants.split(), kind.vowels.split()
    return "".join(dice.choice(consonants) + dice.choice(vowels) for _ in range(syllables))
