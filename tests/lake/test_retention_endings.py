"""What a class of properties names goes wherever a row has it, in columns of its own as well."""

import orjson

from stamgast.retention import PropertyClass
from stamgast_lake.retention.endings import of_class


def ending(*paths: str) -> dict[str, str]:
    told = tuple(tuple(path.split(".")) for path in paths)
    return dict(of_class(PropertyClass("x", 5, told)).values)


def test_what_a_context_tells_in_columns_of_its_own_goes_from_these_too() -> None:
    values = ending("context.ip", "context.userAgent", "context.timezone")
    emptied = {name for name, value in values.items() if value == "null"}
    assert emptied == {"ip", "user_agent", "time_zone"}
    assert values.keys() - emptied == {"context"}
    assert ending("context.page")["page"] == "null"
    assert ending("context.page.url")["page"] != "null"


def test_a_trait_is_looked_for_where_some_clients_put_it() -> None:
    assert ending("traits.town").keys() == {"traits", "context"}


def test_a_path_is_found_in_any_case_and_in_each_element_of_a_list() -> None:
    [function] = of_class(
        PropertyClass("x", 5, (("properties", "stops", "town"),))
    ).functions.values()
    told = orjson.dumps({"Stops": [{"Town": "A", "at": 1}, {"town": "B"}], "town": "C"}).decode()
    assert orjson.loads(function(told)) == {"Stops": [{"at": 1}, {}], "town": "C"}
    untouched = '{ "seen": 1 }'
    assert function(untouched) == untouched
