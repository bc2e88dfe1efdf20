"""Whether models may learn of a person, and whether what they said may still be told."""

from stamgast.consent.coverage import Consent, Verdict, coverage_of
from stamgast.consent.purposes import PROFILING, UNDECLARED, Purposes


def may_be_profiled(consent: Consent | None, purposes: Purposes = UNDECLARED) -> bool:
    """True unless they object to profiling, or are suppressed.

    Where the workspace denies the purpose `profiling` by default, only a grant will do.
    """
    found = coverage_of(consent, PROFILING)
    if found.verdict is not Verdict.UNKNOWN:
        return found.is_covered
    declared = purposes.by_name.get(PROFILING)
    return declared is None or declared.is_default_granted
