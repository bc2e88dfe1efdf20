"""E-mail addresses and their domains in one form, and the rules of single providers."""

import re
import unicodedata
from collections.abc import Collection

from stamgast.identity.settings import Provider

MOST_DOMAIN = 253
SPACE = re.compile(r"\s")
DOMAINS = {
    Provider.GMAIL: frozenset({"gmail.com", "googlemail.com"}),
    Provider.OUTLOOK: frozenset({"outlook.com", "hotmail.com", "live.com"}),
    Provider.ICLOUD: frozenset({"icloud.com", "me.com", "mac.com"}),
}


def address_of(text: str, providers: Collection[Provider], *, folds_local: bool) -> str | None:
    """The address that a text spells; None if it spells none.

    Domains are case-folded and in their ASCII form (IDNA 2003, RFC 3490). What a provider ignores
    in a local part is dropped for the providers named.
    """
    local, at, host = text.removeprefix("mailto:").rpartition("@")
    domain = domain_of(host)
    if not at or not local or domain is None or SPACE.search(local) or local.startswith("mailto:"):
        return None
    if folds_local:
        local = unicodedata.normalize("NFC", local.lower())
    return by_provider(local, domain, providers)


def domain_of(host: str) -> str | None:
    """A domain of at least two labels in its ASCII form; None for anything else."""
    host = host.rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.lower()
    labels = host.split(".")
    if len(host) > MOST_DOMAIN or len(labels) < 2 or not all(0 < len(one) < 64 for one in labels):
        return None
    return None if SPACE.search(host) or "@" in host else host


def by_provider(local: str, domain: str, providers: Collection[Provider]) -> str | None:
    """The address without what its provider ignores: tags, and at Gmail dots and the domain's name.

    From Google's and Microsoft's and Apple's help pages on aliases.
    """
    for provider in providers:
        if domain not in DOMAINS[provider]:
            continue
        local = local.partition("+")[0].lower()
        if provider is Provider.GMAIL:
            local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if local else None
