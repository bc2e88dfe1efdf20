"""Which comparison column a file's column is, by its header."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stamgast.identity.records import COLUMNS, DEFAULT_TRAITS
from stamgast_lake.records.columns import FULL_NAME

NAMES: Mapping[str, str] = {
    **{
        re.sub(r"[^a-z0-9]", "", path.rpartition(".")[2].lower()): column
        for column, paths in DEFAULT_TRAITS.items()
        for path in paths
    },
    **{name.replace("_", ""): name for name in (*COLUMNS, FULL_NAME)},
    "fname": "given_name",
    "lname": "surname",
    "streetno": "house",
    "strno": "house",
    "housenr": "house",
    "housenum": "house",
    "address": "street",
    "addressline": "street",
    "streetname": "street",
    "streetaddress": "street",
    "place": "locality",
    "municipality": "locality",
    "county": "region",
    "yob": "birth_date",
    "birthyear": "birth_date",
    "job": "occupation",
    **{
        name: column
        for column, names in {
            "given_name": "vorname voornaam prenom prnom nombre nome fornavn frnamn",
            "surname": "nachname familienname achternaam apellido apellidos cognome efternavn",
            "birth_date": "geburtsdatum geboortedatum datenaissance fechanacimiento",
            "house": "hausnummer hausnr huisnummer huisnr",
            "street_2": "adresszusatz adresszeile2",
            "region": "bundesland provincie",
            "street": "strasse strae straat adresse rue calle direccion via vej",
            "locality": "ort stadt wohnort woonplaats plaats ville ciudad citta",
            "postcode": "plz postleitzahl codepostal codigopostal cdigopostal cap postnummer",
            "country": "land pays pais",
            "phone": "telefon telefoon telephone telefono handy",
            "gender": "geschlecht geslacht sexe",
        }.items()
        for name in names.split()
    },
}
"""Headers without anything but a to z and digits, by the column that they name."""
WITHIN: tuple[tuple[str, str], ...] = (
    (r"birth_?place|place_?of_?birth", "birth_place"),
    (r"dob|birth|born", "birth_date"),
    (r"e_?mail", "email"),
    (r"phone|mobile|telephone|^tel", "phone"),
    (r"post_?code|postal|zip", "postcode"),
    (r"middle_?name", "middle_name"),
    (r"sur_?name|last_?name|family_?name", "surname"),
    (r"first_?name|given_?name|fore_?name", "given_name"),
    (r"full_?name", "full_name"),
    (r"house_?n|street_?n(o|um)", "house"),
    (r"address_?(line_?)?2|street_?2", "street_2"),
    (r"address|street", "street"),
    (r"city|town|suburb|locality", "locality"),
    (r"gender|^sex", "gender"),
    (r"occupation|profession", "occupation"),
    (r"country", "country"),
    (r"state|province|region", "region"),
)
COUNTERS = re.compile(r"cluster|record|index|^id$|_id$|^id_|number$")


class HeaderError(ValueError):
    """A file whose columns cannot be used as they were named."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers by comparison column, and the headers that nothing was made of."""

    by_column: Mapping[str, str]
    unused: tuple[str, ...]


def headers_of(
    headers: Iterable[str], named: Mapping[str, str] | None = None, but: Iterable[str] = ()
) -> Headers:
    """The comparison column of each header; `named` says so for a column, `but` are left alone."""
    told, left_alone = list(headers), set(but)
    found = _named(told, named or {})
    for find in (_by_name, _by_part):
        for header in told:
            column = find(header)
            is_free = header not in found.values() and header not in left_alone
            if column and column not in found and is_free:
                found[column] = header
    unused = tuple(one for one in told if one not in found.values() and one not in left_alone)
    return Headers(found, unused)


def _named(headers: list[str], named: Mapping[str, str]) -> dict[str, str]:
    for column, header in named.items():
        if column not in COLUMNS and column != FULL_NAME:
            known = ", ".join((*COLUMNS, FULL_NAME))
            raise HeaderError(f"{column!r} is no comparison column; known are {known}")
        if header not in headers:
            raise HeaderError(f"no column {header!r} in the file; it has {', '.join(headers)}")
    return dict(named)


def _by_name(header: str) -> str | None:
    return NAMES.get(re.sub(r"[^a-z0-9]", "", header.lower()))


def _by_part(header: str) -> str | None:
    told = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")
    if COUNTERS.search(told):
        return None
    return next((column for pattern, column in WITHIN if re.search(pattern, told)), None)
