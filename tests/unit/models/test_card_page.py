"""A card's page says what is missing; nothing on it overlaps or reads as its contrary."""

from typing import Any

from stamgast_cli.reports.kind_pictures import LONGEST, intervals
from stamgast_cli.reports.kind_words import bounded, pointed, shared
from stamgast_cli.reports.model_facts import facts_of, verdict_of
from stamgast_cli.reports.model_page import NOT_JUDGED, page_of

LONG = "a" * 61
CARD: dict[str, Any] = {
    "title": "Käufe <b>bald</b>",
    "description": "",
    "kind": "look_alike",
    "seed": "best",
    "population": "true",
    "within_days": 30,
    "as_of": "2026-11-23T00:00:00Z",
    "learnt_on": ["2026-11-23"],
    "history_days": 300,
    "is_used": False,
    "why": "99 positives; needs 100",
    "report": {"people": 500, "positives": 99},
    "limits": [],
    "not_scored": [],
    "features": {},
}


def test_a_model_that_could_not_be_judged_says_so_where_figures_would_stand() -> None:
    assert NOT_JUDGED in page_of(CARD)


def test_a_verdict_says_whether_it_was_judged_and_whether_a_feature_is_suspected() -> None:
    assert verdict_of(CARD) == "abstains: 99 positives; needs 100"
    told = {**CARD, "report": {"judgement": {}}}
    assert verdict_of({**told, "why": "no better"}) == "kept out: no better"
    suspected = "suspected of knowing the outcome: feature tier …"
    assert verdict_of({**told, "why": suspected}) == f"kept out, {suspected}"
    assert verdict_of({**told, "is_used": True, "why": None}) == "may be used"


def test_texts_of_others_stay_texts() -> None:
    assert "<b>bald" not in page_of(CARD)


def test_of_a_look_alike_the_seed_is_counted_and_no_outcome() -> None:
    assert facts_of(CARD)["people"] == "500; 99 of them are in the seed"


def test_a_question_about_a_feature_says_what_either_answer_leads_to() -> None:
    asked = {"feature": "tier", "why": "feature tier orders people by what came"}
    told = page_of({**CARD, "report": {"questions": [asked]}})
    assert "it is a leak: take it out. If it was, say `allow: [tier]`" in told
    facts = facts_of({**CARD, "report": {"questions": [asked]}})
    assert facts["to ask: was it known at the cut-off?"] == "tier"


def known(late: int, loaded: int) -> str:
    """What a card says of how much had come by the newest cut-off."""
    told = {"cut_on": "2026-10-24", "days": 30, "events": 2_000, "late": late, "loaded": loaded}
    return facts_of({**CARD, "known": told})["known at the cut-off"]


def test_a_card_says_how_much_had_come_by_the_newest_cut_off() -> None:
    assert known(0, 0) == "of 2,000 events of the 30 days before 2026-10-24 all had come by then"
    assert "10.0% came more than a day after it: scoring then lacked them" in known(200, 0)
    assert "; 1 were loaded later as history: nobody can tell" in known(200, 1)
    assert "before 2026-10-24 all were loaded later as history" in known(0, 2_000)
    assert "known at the cut-off" not in facts_of(CARD)


def test_of_several_currencies_a_card_says_how_many_pay_in_which() -> None:
    told = facts_of({**CARD, "report": {"currencies": {"EUR": 1_960, "JPY": 40}}})
    assert told["amounts are in"].endswith("currency: 1,960 people in EUR, 40 people in JPY")
    assert facts_of({**CARD, "report": {"currencies": {"EUR": 9}}})["amounts are in"] == "EUR"


def test_a_card_says_whose_amounts_are_unknown_where_people_pay_in_several_currencies() -> None:
    amounts = {"currency": "EUR", "people": {"EUR": 9, "JPY": 2}, "features": ["revenue", "mean"]}
    told = facts_of({**CARD, "amounts": amounts})["amounts among features are in"]
    assert told.startswith("EUR; of people who pay otherwise (2 in JPY)")
    assert told.endswith("unknown are: revenue, mean")
    of_one = facts_of({**CARD, "amounts": {**amounts, "people": {"EUR": 9}}})
    assert "amounts among features are in" not in of_one


def test_an_effect_is_told_in_points_and_not_in_per_cent() -> None:
    told = pointed({"value": 0.0759, "low": -0.004, "high": 0.125})
    assert told == "+7.6 (-0.4 to +12.5)"


def test_what_is_known_of_nobody_is_named_with_what_is_often_missing() -> None:
    told = facts_of({**CARD, "report": {"unknown": ["age", "income"]}})["known of nobody"]
    assert told.startswith("age, income: nothing at any cut-off")
    assert "unless `formats`" in told
    assert "known of nobody" not in facts_of({**CARD, "report": {"unknown": []}})


def test_a_long_name_ends_before_the_marks_and_is_told_whole_to_the_pointer() -> None:
    told = intervals("t", [(LONG, 1.0, 0.5, 2.0)], "a", 0.0)
    assert f"{'a' * (LONGEST - 1)}…<title>{LONG}</title>" in told


def test_a_picture_names_what_its_numbers_are() -> None:
    assert ">euros &amp; cents</text>" in intervals("t", [("a", 1.0, 0.5, 2.0)], "euros & cents", 0)


def judged(kind: str, judgement: dict[str, Any], **report: Any) -> dict[str, Any]:
    """A card of a kind that was judged."""
    return {**CARD, "kind": kind, "report": {"judgement": judgement, **report}, "target": "a"}


def test_lifetime_values_stand_in_a_picture_beside_rules_of_thumb() -> None:
    one = {"value": 1.0, "low": 0.5, "high": 2.0}
    error = dict.fromkeys(("mae", "rmse", "total_ratio"), one)
    told = page_of(
        judged(
            "lifetime_value",
            {
                "errors": {"bg_nbd": error, "same_pace": error},
                "chosen": "bg_nbd",
                "level": 0.9,
                "customers": 9,
                "coverage": one,
                "correlation": 0.1,
            },
        )
    )
    believed = told.split("How far to believe it")[1].split("</section>")[0]
    assert "same pace" in believed
    assert "mean absolute error" in believed


def test_of_an_experiment_the_card_says_how_many_were_held_out() -> None:
    arms = {"treated": 1_200, "held_out": 800, "in_both": 3}
    told = facts_of({**CARD, "kind": "uplift", "target": "a", "report": {"arms": arms}})
    assert told["experiment"] == "1,200 people treated, 800 held out; 3 in both arms, left out"


def test_an_interval_below_nought_has_no_dash_beside_its_sign() -> None:
    assert bounded({"value": -0.85, "low": -0.89, "high": -0.82}, 2) == "-0.85 (-0.89 to -0.82)"
    assert shared({"value": 0.1, "low": 0.05, "high": 0.2}) == "10.0% (5.0%–20.0%)"
