"""The list of what an idle deployment costs is the one that the templates give."""

import pytest

from infra.idle_cost import UnpricedResourceError, fixed_charges, idle_usd, table
from tests.infra.assembly import ROOT, assembly


def test_an_idle_deployment_costs_two_to_four_dollars_a_month() -> None:
    for name in ("dev", "prod"):
        told = assembly(name)
        assert 2 <= idle_usd(fixed_charges([told.data, told.platform])) <= 4


def test_nothing_is_charged_by_the_hour() -> None:
    told = assembly("prod")
    kinds = {charge.kind for charge in fixed_charges([told.data, told.platform])}
    assert not kinds & {"AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint", "AWS::Kinesis::Stream"}


def test_the_page_lists_what_the_templates_have() -> None:
    told = assembly("prod")
    page = (ROOT / "docs" / "operations" / "idle-cost.md").read_text(encoding="utf-8")
    assert table(fixed_charges([told.data, told.platform])) in page


def test_a_resource_without_a_price_is_refused() -> None:
    template = {"Resources": {"Gateway": {"Type": "AWS::EC2::NatGateway"}}}
    with pytest.raises(UnpricedResourceError, match="NatGateway"):
        fixed_charges([template])
