"""Logical ids that must not move when code does."""

from aws_cdk import CfnElement
from constructs import IConstruct


def pin(construct: IConstruct, logical_id: str) -> None:
    """Give the resource behind a construct this logical id for ever."""
    resource = construct if isinstance(construct, CfnElement) else construct.node.default_child
    if not isinstance(resource, CfnElement):
        raise TypeError(f"{construct.node.path} stands for no single resource")
    resource.override_logical_id(logical_id)
