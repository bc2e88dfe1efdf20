"""A tree survives its text and its JSON, and day states answer what the events themselves do."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.segments.language.buckets import DayBuckets, added, measures_of
from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.codec import document_of, of_document
from stamgast.segments.language.explain import explained
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import rendered
from stamgast.segments.language.view import View
from tests.parity.rule_cases import conditions, nows, people


@settings(max_examples=100)
@given(conditions())
def test_a_tree_survives_its_text_and_its_json(text: str) -> None:
    tree = compile_rule(text)
    assert compile_rule(rendered(tree)) == tree
    assert of_document(json.loads(json.dumps(document_of(tree)))) == tree


@settings(max_examples=60)
@given(st.data())
def test_day_states_answer_what_the_events_themselves_do(data: st.DataObject) -> None:
    now, tree = data.draw(nows()), compile_rule(data.draw(conditions()))
    for person in data.draw(people(now)):
        view, whole = person.view(now), person.view(now)
        events = [one.document for one in person.events if one.at_ms <= now.ms]
        days = added({}, measures_of([tree]).values(), events, view)
        summed = View(person.columns, DayBuckets(days, events), now)
        assert reader_of(tree)(summed) == reader_of(tree)(whole)
        assert explained(tree, person.view(now)).reasons
