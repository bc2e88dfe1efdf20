"""Rules, computed traits and tracking plan: refused with every fault at once, or compiled."""

import json
from pathlib import Path

import pytest

from stamgast.segments.definitions import book_of, computed_traits_of, segments_of
from stamgast.segments.language.rules import segments_in
from stamgast.segments.language.tree import Type
from stamgast.workspace.compiler import Fault, WorkspaceError, compile_files
from stamgast.workspace.model import workspace_of

WORKED = Path(__file__).parents[3] / "workspace"
SOURCES = "sources:\n  web:\n    name: Web\n"
EVERY_MISTAKE = """segments:
  fine:
    rule: orders.count > 1
  fine:
    rule: orders.count > 2
  unknown_column:
    rule: orders.cuont > 1
  wrong_type:
    rule: |
      orders.count > 1
      and orders.currency > 3
  broken:
    rule: orders.count >
  lost:
    rule: in segment('gone')
  faulty_trait:
    rule: computed.faulty > 1
  no_rule: {}
  extra:
    rule: 'true'
    ownr: me
  Bad-Name:
    rule: 'true'
"""
TRAITS = """traits:
  faulty:
    making: sum
    value: event
  no_value:
    making: average
  odd_window:
    making: count
    window: last 3 moons
  half_a_share:
    making: share
    where: event = 'Flight'
"""
PLAN = """tracking_plan:
  unplanned: sometimes
  events:
    Order Completed:
      properties:
        revenue: {type: money}
"""


def faults(**texts: str) -> list[Fault]:
    files = {f"{name}.yaml": text for name, text in texts.items()}
    with pytest.raises(WorkspaceError) as raised:
        compile_files({"sources.yaml": SOURCES, **files})
    return raised.value.faults


def test_a_file_with_every_kind_of_mistake_tells_each_once_with_its_line() -> None:
    told = faults(segments=EVERY_MISTAKE, traits=TRAITS, tracking_plan=PLAN)
    assert sorted((fault.file, fault.line) for fault in told) == [
        ("segments.yaml", 4),
        ("segments.yaml", 7),
        ("segments.yaml", 11),
        ("segments.yaml", 13),
        ("segments.yaml", 15),
        ("segments.yaml", 18),
        ("segments.yaml", 21),
        ("segments.yaml", 22),
        ("tracking_plan.yaml", 2),
        ("tracking_plan.yaml", 6),
        ("traits.yaml", 4),
        ("traits.yaml", 5),
        ("traits.yaml", 9),
        ("traits.yaml", 10),
    ]
    assert len({fault.message for fault in told}) == len(told)


def test_a_fault_tells_line_and_column_in_the_rule_and_a_suggestion() -> None:
    (fault,) = faults(
        segments="segments:\n  a:\n    rule: |\n      true and\n      orders.cuont > 1\n"
    )
    assert str(fault) == (
        "segments.yaml:5: segments.a.rule: line 2, column 1: the profile has no `orders.cuont`"
        " (did you mean `orders.count`?)"
    )


WORDS = {
    "segments:\n  a: {rule: true}": "put it in quotes",
    "segments:\n  a: {rule: orders.count > 1,50}": "put the text in quotes, or under `|`",
    "segments:\n  My Segment: {rule: 'true'}": "did you mean `my_segment`?",
    "segments:": "write `{}`, or leave the name out",
    "segments:\n  a:\n    rule: count(event = 'A: b') > 1": "or under `|`",
    "segments:\n\ta: {rule: 'true'}": "indent with blanks",
}


@pytest.mark.parametrize("text", WORDS)
def test_a_mistake_of_form_says_what_to_do(text: str) -> None:
    (fault,) = faults(segments=text)
    assert WORDS[text] in str(fault)


def test_a_word_of_another_tool_is_understood() -> None:
    plan = "tracking_plan: {events: {A: {action: alow, properties: {x: {type: string}}}}}"
    told = [
        fault.message for fault in faults(tracking_plan=plan, traits="traits: {a: {making: avg}}")
    ]
    assert sorted(one.rpartition("; ")[2] for one in told) == [
        "did you mean `allow`?",
        "did you mean `average`?",
        "did you mean `text`?",
    ]


def test_a_rule_names_purposes_that_are_declared() -> None:
    consent = "purposes:\n  email: {legal_basis: consent, covers: [exports]}\n"
    (fault,) = faults(consent=consent, segments="segments:\n  a: {rule: consent.emial is true}\n")
    assert str(fault).startswith("segments.yaml:2: segments.a.rule: line 1, column 1: no purpose")


def test_a_cycle_is_named() -> None:
    text = "segments:\n  a:\n    rule: in segment('b')\n  b:\n    rule: in segment('a')\n"
    (fault,) = faults(segments=text)
    assert "a → b → a" in fault.message


def test_a_name_that_stands_twice_is_no_silent_change() -> None:
    (fault,) = faults(segments="segments:\n  a: {rule: 'true'}\n  a: {rule: 'false'}\n")
    assert (fault.line, fault.place) == (3, "segments.a")


def worked() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in WORKED.glob("*.yaml")}


def test_the_worked_examples_segments_come_after_those_they_rest_on() -> None:
    workspace = workspace_of(json.loads(json.dumps(compile_files(worked()))))
    segments = segments_of(workspace.segments)
    assert len(segments) >= 10
    seen: set[str] = set()
    for segment in segments:
        assert seen.issuperset(segments_in(segment.rule.tree))
        seen.add(segment.name)
    assert book_of(segments).rules.keys() == seen


def test_computed_traits_have_the_type_of_what_they_are_made_of() -> None:
    workspace = workspace_of(json.loads(json.dumps(compile_files(worked()))))
    kinds = {trait.name: trait.type for trait in computed_traits_of(workspace.traits)}
    assert kinds["average_basket"] is Type.NUMBER
    assert kinds["favourite_store"] is Type.ANY


def test_a_document_of_an_earlier_version_has_no_segments() -> None:
    told = compile_files({"sources.yaml": SOURCES})
    earlier = {
        key: value
        for key, value in told.items()
        if key not in ("segments", "traits", "tracking_plan")
    }
    assert workspace_of(earlier).segments == ()


@pytest.mark.parametrize(
    ("rule", "line", "what_to_do"),
    [
        ("{rule: rfm.segment in ('loyal', 'new')}", 2, "put the text in quotes, or under `|`"),
        ('{rule: "orders.count > 1}', 2, "close the quotes"),
        ("\n    rule: '' in traits.tags", 3, "stands under `|`"),
        ("\n    rule: !traits.vip is true", 3, "begins so stands in quotes"),
        ("\n    rule: @traits.vip", 3, "begins so stands in quotes"),
        ("\n    rule: traits.city = 'no #1'", 3, "for a comment: put the text under `|`"),
        ("\n    rule: orders.count > 1\n   title: x", 4, "indent it as its neighbours are"),
        ("\n    rule: orders.count > 1\n---\nx: 1", 4, "take the line `---` out"),
    ],
)
def test_where_yaml_takes_a_rule_for_something_else_it_is_told_what_to_do(
    rule: str, line: int, what_to_do: str
) -> None:
    (fault,) = faults(segments=f"segments:\n  a: {rule}\n")
    assert (fault.line, what_to_do in fault.message) == (line, True), str(fault)


def test_the_rest_of_a_call_in_braces_is_told_as_what_a_comma_cut_off() -> None:
    told = faults(segments="segments:\n  a: {rule: count(event = 'A', last 3 days) > 1}\n")
    assert any("a comma in braces ends a text" in fault.message for fault in told), told
