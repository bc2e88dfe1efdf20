"""What the report says of the lake after the runs, and of what was handed over."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_cli.demo import history, truth
from stamgast_cli.demo.casting import Story
from stamgast_cli.demo.figures import Lake, agreement_of
from stamgast_cli.demo.groups import groups
from stamgast_cli.deployment import Deployment
from stamgast_cli.workspaces import store
from stamgast_lake.query import LakeSession


def figures_of(
    session: LakeSession, told: Story, deployment: Deployment, before: dict[str, int], handed: int
) -> dict[str, Any]:
    """Every figure that the lake is asked for; `handed` events went in since `before`."""
    keyring = SecretsManagerKeyring(
        deployment.client("secretsmanager"), deployment.output("WorkspaceSecret")
    ).get()
    owners = truth.owners_of([*told.past, *told.present])
    keys = {named: keyring.identifier_key(*named) for named in owners}
    lake = Lake(session)
    receipts = lake.receipts()
    states = {state: count - before[state] for state, count in receipts["states"].items()}
    return {
        "events": {
            "sent": handed,
            "before": before,
            "states": states,
            "is_conserved": sum(states.values()) == handed,
            "reasons": receipts["reasons"],
            "hours": lake.hours(),
            "weeks": lake.weeks(),
            "arrivals": receipts["arrivals"],
        },
        "revenue": _revenue(lake.revenue(), told),
        "persons": agreement_of(owners, keys, lake.persons()),
        "rfm": lake.rfm(),
        "segments": groups(session, store(deployment).current()),
    }


def _revenue(by_order: dict[str, int], told: Story) -> dict[str, Any]:
    """What the lake holds of each household's orders."""
    by_household: dict[int, int] = {}
    for act in (*told.past, *told.present):
        if act.basket is not None:
            cents = by_order.get(act.basket.basket_id, 0)
            by_household[act.household] = by_household.get(act.household, 0) + cents
    ordered = {str(number): by_household[number] for number in sorted(by_household)}
    return {"currency": "USD", "total_minor": sum(ordered.values()), "by_household": ordered}


def facts_of(told: Story, files: history.History) -> dict[str, Any]:
    """What was handed over, and of whom."""
    last = max(basket.at for basket in told.purchases.baskets)
    figures = asdict(files)
    figures.pop("files")
    return {
        "households": len({basket.household for basket in told.purchases.baskets}),
        "live_households": len(told.live),
        "are_files_whole": told.is_whole,
        "shift_weeks": told.purchases.weeks,
        "last_purchase_at": last.isoformat(),
        "days_since_last_purchase": (datetime.now(UTC) - last) // timedelta(days=1),
        "imported": figures,
        "sent_live": len(told.present),
    }
