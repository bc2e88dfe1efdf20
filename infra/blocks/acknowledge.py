"""Exceptions from the security rules, each on its resource and with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why this rule (`Pack-Rule` or `Pack-Rule[finding]`) does not hold here."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
