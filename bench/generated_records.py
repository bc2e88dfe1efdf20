"""Generated records of generated persons, seeded, with the mistakes that people make in forms.

Names are syllables, places are numbers: nobody real is meant. Households share a surname and an
address, postcodes lie in localities and localities in regions, so that columns depend on one
another as they do in life.
"""

import random
from collections.abc import Iterator, Mapping

import pyarrow as pa

LETTERS, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
ONSETS = (
    "b",
    "br",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "v",
    "w",
)
VOWELS = ("a", "aa", "e", "ee", "i", "ie", "o", "oo", "u", "ui")
CODAS = ("", "", "k", "l", "m", "n", "r", "s", "t", "rd", "ns")
MISSING = {"birth_date": 0.25, "phone": 0.35, "email": 0.3, "street": 0.1, "house": 0.1}
COLUMNS = (
    "given_name", "surname", "birth_date", "house", "street",
    "locality", "postcode", "region", "email", "phone",
)  # fmt: skip
Person = dict[str, str]


def records(
    size: int,
    *,
    seed: int = 1,
    mistakes: float = 0.12,
    twins: float = 0.0,
    landlines: float = 0.0,
    undated: float = MISSING["birth_date"],
) -> pa.Table:
    """`size` records with `record_id`, `truth` and the comparison columns, in random order.

    Three in four persons have one record, the others two to four; each value of a further record is
    mistyped, missing or changed with probability `mistakes`. Of the further members of a household,
    a share of `twins` has the birth date of the one before, and a share of `landlines` the
    telephone. A share of `undated` records has no birth date.
    """
    dice = random.Random(seed)
    missing = {**MISSING, "birth_date": undated}
    rows = []
    for number, person in enumerate(_persons(dice, size, twins, landlines)):
        for copy in range(_copies(dice)):
            given = person if copy == 0 else _mistaken(dice, person, mistakes)
            told = _forget(dice, given, missing)
            rows.append({"truth": str(number), **told})
            if len(rows) == size:
                dice.shuffle(rows)
                return _table(rows)
    raise AssertionError("persons do not end")


def _table(rows: list[Person]) -> pa.Table:
    columns: dict[str, list[str | None]] = {
        "record_id": [f"r{place}" for place in range(len(rows))]
    }
    for name in ("truth", *COLUMNS):
        columns[name] = [row[name] or None for row in rows]
    return pa.table(columns)


def _copies(dice: random.Random) -> int:
    return dice.choices((1, 2, 3, 4), weights=(75, 18, 5, 2))[0]


def _persons(dice: random.Random, size: int, twins: float, landlines: float) -> Iterator[Person]:
    given = [_word(dice, 2) for _ in range(min(4_000, 200 + size // 50))]
    surnames = [_word(dice, 2 + (place > 500)) for place in range(min(60_000, 300 + size // 8))]
    streets = [f"{_word(dice, 2)} {_word(dice, 1)}straat" for _ in range(2_000)]
    localities = [(_word(dice, 3), f"region {place % 12}") for place in range(1_500)]
    while True:
        surname = surnames[common(dice, len(surnames))]
        place = common(dice, len(localities))
        address = {
            "house": str(1 + int(dice.expovariate(1 / 40))),
            "street": dice.choice(streets),
            "locality": localities[place][0],
            "region": localities[place][1],
            "postcode": str(1000 + place * 5 + dice.randrange(5)) + _letters(dice, 2),
        }
        shared: Person = {}
        for _ in range(dice.choices((1, 2, 3, 4), weights=(50, 30, 12, 8))[0]):
            name = given[common(dice, len(given))]
            own = _own(dice, name, surname)
            for column, share in (("birth_date", twins), ("phone", landlines)):
                if shared and share and dice.random() < share:
                    own[column] = shared[column]
            shared = own
            yield {"given_name": name, "surname": surname, **address, **own}


def _own(dice: random.Random, given: str, surname: str) -> Person:
    born = f"{dice.randint(1935, 2008)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    local = dice.choice((f"{given}.{surname}", f"{given[0]}{surname}", given))
    number = dice.randrange(1_000)
    return {
        "birth_date": born,
        "email": f"{local}{number}@mail{dice.randrange(20)}.example",
        "phone": f"06{dice.randrange(10**8):08}",
    }


def _letters(dice: random.Random, count: int) -> str:
    return "".join(dice.choices(LETTERS, k=count))


def common(dice: random.Random, size: int) -> int:
    """A place in a list whose first entries are much commoner, as names and towns are."""
    return min(size - 1, int(size * dice.random() ** 3))


def _word(dice: random.Random, syllables: int) -> str:
    return "".join(
        dice.choice(ONSETS) + dice.choice(VOWELS) + dice.choice(CODAS) for _ in range(syllables)
    )


def _forget(dice: random.Random, person: Person, missing: Mapping[str, float]) -> Person:
    return {
        name: "" if dice.random() < missing.get(name, 0.01) else value
        for name, value in person.items()
    }


def _mistaken(dice: random.Random, person: Person, mistakes: float) -> Person:
    told = dict(person)
    if dice.random() < mistakes / 2:
        told["given_name"], told["surname"] = told["surname"], told["given_name"]
    if dice.random() < mistakes:
        told |= {
            "house": str(dice.randint(1, 200)),
            "street": f"{_word(dice, 2)} {_word(dice, 1)}straat",
        }
    for name, value in told.items():
        if dice.random() < mistakes:
            told[name] = _mistyped(dice, name, value)
    return told


def _mistyped(dice: random.Random, name: str, value: str) -> str:
    if name == "given_name" and dice.random() < 0.3:
        return value[:1]
    if name in ("email", "phone") and dice.random() < 0.5:
        return mistyped(dice, mistyped(dice, value[::-1]))
    return mistyped(dice, value)


def mistyped(dice: random.Random, value: str) -> str:
    """The value with one letter more, less, other, or two exchanged."""
    place = dice.randrange(len(value))
    other = dice.choice(DIGITS if value[place].isdigit() else LETTERS)
    return dice.choice(
        (
            value[:place] + other + value[place:],
            value[:place] + value[place + 1 :],
            value[:place] + other + value[place + 1 :],
            value[:place]
            + value[place + 1 : place + 2]
            + value[place : place + 1]
            + value[place + 2 :],
        )
    )
