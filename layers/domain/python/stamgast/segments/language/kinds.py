"""The types of values, and the units of time."""

from enum import StrEnum


class Type(StrEnum):
    """What a value is; `ANY` is a value of a document, whose type only the data tell."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    MOMENT = "moment"
    LIST = "list"
    ANY = "any"


class Unit(StrEnum):
    """Units of time; months and years are of the calendar and move dates alone."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
