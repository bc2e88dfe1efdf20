"""Models compile from `models.yaml` to documents and back; every mistake has its place."""

import pytest

from stamgast.models.declaration import Kind, Model, models_of
from stamgast.models.features import DEFAULT_FEATURES
from stamgast.workspace import compiler
from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast.workspace.entries import Entry, entry_of
from stamgast.workspace.model import workspace_of
from stamgast.workspace.schema import Part
from stamgast.workspace.yaml_files import YamlFile

SOURCES = "sources: {shop: {name: Shop}}"
SEGMENTS = "segments: {best: {rule: rfm.segment = 'champions'}}"
SOUND = """
models:
  next_order:
    kind: propensity
    target: event = 'Order Completed'
    features: {in_delft: traits.city = 'Delft'}
  gone:
    kind: churn
    defaults: false
    features: {orders: orders.count}
  alike:
    kind: look_alike
    seed: best
"""


def compiled(text: str) -> dict[str, Model]:
    """The models of a file, by name."""
    told = compile_files({"models.yaml": text, "segments.yaml": SEGMENTS, "sources.yaml": SOURCES})
    return {model.name: model for model in models_of(workspace_of(told).models)}


def faults(text: str) -> list[str]:
    """What is wrong with a file."""
    with pytest.raises(WorkspaceError) as caught:
        compiled(text)
    return [str(one) for one in caught.value.faults]


def test_a_model_has_the_default_features_and_its_own() -> None:
    models = compiled(SOUND)
    names = [feature.name for feature in models["next_order"].features]
    assert names == [*DEFAULT_FEATURES, "in_delft"]
    assert [feature.name for feature in models["gone"].features] == ["orders"]
    assert models["alike"].kind is Kind.LOOK_ALIKE


def test_a_churn_is_of_orders_unless_it_says_otherwise() -> None:
    assert compiled(SOUND)["gone"].texts["target"] == "event = 'Order Completed'"


def test_documents_tell_the_same_model_again() -> None:
    models = tuple(compiled(SOUND).values())
    assert models_of(model.document for model in models) == models


def test_a_version_follows_what_is_predicted_and_not_its_words() -> None:
    was = compiled(SOUND)["next_order"].version
    assert (
        compiled(SOUND.replace("kind: propensity", "kind: propensity\n    title: T"))[
            "next_order"
        ].version
        == was
    )
    changed = SOUND.replace("'Delft'", "'Gent'")
    assert compiled(changed)["next_order"].version != was


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("kind: propensity", "models.x.target: a propensity needs a target"),
        ("kind: look_alike", "models.x.seed: a look_alike, and nothing else, has a seed"),
        ("{kind: look_alike, seed: bets}", "models.x.seed: no segment is named 'bets'"),
        ("{kind: churn, population: order.count > 1}", "did you mean `orders.count`?"),
        ("{kind: churn, features: {a: traits.city}}", "a trait tells, say `traits.city + 0`"),
        ("{kind: churn, features: {a: count(event = 'b', last 3 days)}}", "a comma in braces ends"),
        ("{kind: churn, within_days: 0}", "models.x.within_days: Input should be greater"),
        ("{kind: churn, targets: a}", "models.x.targets: unknown name"),
        ("{kind: churn, features: {joined_by_a_list: orders.count}}", "take another name"),
        ("{kind: churn, defaults: false}", "needs some of its own"),
        ("{kind: lifetime_value, target: event = 'a'}", "a lifetime_value takes no target"),
        (
            "{kind: recommendation, features: {a: orders.count}}",
            "a recommendation takes no features",
        ),
        ("{kind: recommendation, recommend: {of: shop}}", "should be 'product' or 'category'"),
        ("{kind: uplift, target: event = 'a'}", "an uplift needs an experiment"),
        ("{kind: discount, target: event = 'a'}", "a discount takes no target"),
        ("{kind: churn, clusters: {most: 3}}", "only the kind `clusters` has a section `clusters`"),
        (
            "{kind: churn, contract: {starts: event = 'a', ends: evnt = 'b'}}",
            "models.x.contract.ends: line 1, column 1",
        ),
        (
            "{kind: churn, target: a = 1, contract: {starts: event = 'a', ends: event = 'c'}}",
            "with a contract, the target is that it ends",
        ),
        ("{kind: churn, target: orders.count > 1}", "models.x.target: line 1, column 1"),
        ("{kind: churn, margin: 5%}", "did you mean `0.05`?"),
        (
            "{kind: churn, features: {on: 1}}",
            "models.x.features.on: Input should be a valid string",
        ),
        ("{kind: churn, features: {a: scores.other}}", "no score of a model `other`"),
        ("{kind: churn, population: scores.other > 1}", "no score of a model `other`"),
    ],
)
def test_a_mistake_is_told_with_its_file_line_and_place(part: str, fault: str) -> None:
    told = faults(f"models:\n  x: {part}" if part[0] == "{" else f"models:\n  x:\n    {part}")
    assert len(told) == 1
    assert told[0].startswith("models.yaml:")
    assert fault in told[0]


OF_SCORES = """segments:
  best: {rule: rfm.segment = 'champions'}
  likely: {rule: scores.next_order > 0.8}
  likely_twice: {rule: in segment('likely') and orders.count > 1}
"""


def seeded(seed: str) -> list[str]:
    """What is wrong with a look-alike of this seed."""
    of = SOUND.replace("seed: best", f"seed: {seed}")
    files = {"models.yaml": of, "segments.yaml": OF_SCORES, "sources.yaml": SOURCES}
    try:
        compile_files(files)
    except WorkspaceError as error:
        return [str(one) for one in error.faults]
    return []


@pytest.mark.failure_line(34)
def test_a_seed_that_rests_on_the_score_of_a_model_is_a_mistake_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line 34: by its own name or another segment's; nobody had a score at a past moment."""
    assert seeded("best") == []
    for seed in ("likely", "likely_twice"):
        (told,) = seeded(seed)
        assert f"models.alike.seed: segment '{seed}' rests on scores" in told
    monkeypatch.setattr("stamgast.workspace.model_kinds.segments_in", lambda _: ())
    assert seeded("likely_twice") == []


@pytest.mark.parametrize("name", ["off", "no", "on", "yes", "null", "y"])
def test_a_name_that_yaml_reads_as_something_else_is_the_name_as_it_is_written(name: str) -> None:
    (model,) = compiled(f"models:\n  {name}:\n    kind: churn").values()
    assert model.name == name


def test_a_number_as_a_name_is_told_as_it_is_written() -> None:
    (told,) = faults("models:\n  a: {kind: churn}\n  12: {kind: churn}")
    assert told.startswith("models.yaml:3: models.12: a name has lower-case letters")


def test_a_day_that_no_calendar_has_is_told_at_its_line() -> None:
    rules = "treated: traits.a = 1, held_out: traits.a = 2"
    experiment = f"experiment:\n      {{starts_on: 2026-02-31, {rules}}}"
    model = f"kind: uplift\n    target: event = 'a'\n    {experiment}"
    (told,) = faults(f"models:\n  x:\n    {model}")
    assert told.startswith("models.yaml:6: models.x.experiment.starts_on: ")
    assert "day value is outside expected range" in told


def test_with_a_contract_those_under_it_are_meant_and_its_end_is_the_target() -> None:
    contract = "{starts: event = 'a', ends: event = 'b'}"
    model = compiled(f"models: {{x: {{kind: churn, contract: {contract}}}}}")["x"]
    assert model.texts["target"] == "event = 'b'"
    assert model.texts["population"] == "did (event = 'a') and not (event = 'b') since"
    assert {"days_in_contract", "contracts"} < {feature.name for feature in model.features}


ALL_AT_ONCE = """
models:
  x:
    kind: {kind}
    margin: 5%
    target: evnt = 'a'
    population: order.count > 1
    seed: bets
    allow: [nothing]
    features: {{a: traits.city, B: count(evnt = 'b'), c: 1}}
    experiment: {{treated: evnt = 'c', held_out: traits.a = 1}}
"""


def places(text: str) -> list[str]:
    """The places of what is wrong with a file, in the order of the alphabet."""
    return sorted(one.split(": ")[1].removeprefix("models.x.") for one in faults(text))


def test_a_fault_of_form_hides_no_fault_of_a_rule_or_of_the_kind() -> None:
    own = ["experiment.starts_on", "features.B", "features.c", "margin"]
    rules = ["experiment.treated", "features.B", "features.a", "population", "target"]
    assert places(ALL_AT_ONCE.format(kind="uplift")) == sorted([*own, *rules, "seed", "seed"])
    assert places(ALL_AT_ONCE.format(kind="uplifts")) == sorted([*own, *rules, "kind"])


def test_with_what_has_a_fault_of_form_left_out_whole_its_rules_would_be_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sound(file: YamlFile, part: str, shape: type[Part]) -> dict[str, Entry]:
        told = {name: entry_of(shape, one) for name, one in file.document.get(part, {}).items()}
        return {name: entry for name, entry in told.items() if not entry.faulty}

    monkeypatch.setattr(compiler, "_entries", sound)
    assert "population" not in places(ALL_AT_ONCE.format(kind="uplift"))


def test_a_fault_of_form_hides_no_fault_of_the_rule_of_a_segment_or_trait() -> None:
    files = {
        "sources.yaml": SOURCES,
        "segments.yaml": "segments: {a: {rule: order.count > 1, purpose: A}}",
        "traits.yaml": "traits: {a: {making: count, where: evnt = 'b', limit: many}}",
    }
    with pytest.raises(WorkspaceError) as caught:
        compile_files(files)
    told = {f"{one.file}: {one.place}" for one in caught.value.faults}
    of_segment = {f"segments.yaml: segments.a.{name}" for name in ("rule", "purpose")}
    assert told == of_segment | {f"traits.yaml: traits.a.{name}" for name in ("where", "limit")}


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ("{kind: propensity, target: 5}", "target"),
        ("{kind: propensity, targets: event = 'a'}", "targets"),
        ("{kind: uplift, target: event = 'a', experiment: here}", "experiment"),
        ("{kind: churn, defaults: false, features: {a: 1}}", "features.a"),
        ("{kind: churn, contract: {starts: event = 'a'}}", "contract.ends"),
        ("{kind: churn, allow: [b], features: {b: 1}}", "features.b"),
        ("5", "models.x"),
    ],
)
def test_what_has_a_fault_of_its_form_is_no_second_fault(part: str, where: str) -> None:
    assert places(f"models: {{x: {part}}}") == [where]


def test_a_contract_that_cannot_be_read_hides_no_other_fault() -> None:
    contract = "{starts: event = 'a', ends: evnt = 'b'}"
    rest = "allow: [contracts], population: order.count > 1, features: {a: traits.city}"
    told = places(f"models: {{x: {{kind: churn, contract: {contract}, {rest}}}}}")
    assert told == ["contract.ends", "features.a", "population"]
