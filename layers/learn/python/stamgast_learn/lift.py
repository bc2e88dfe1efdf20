"""How much more often a segment has something than everyone has it, with honest intervals.

The segment is compared with everybody else, for only those are independent of it: Fisher's exact
test, and the risk ratio with Katz' logarithmic interval (Katz et al. 1978, "Obtaining Confidence
Intervals for the Risk Ratio in Cohort Studies", Biometrics 34). Of many comparisons those are
called distinguishing whose false discovery rate stays within `ALPHA` (Benjamini and Hochberg 1995),
and their intervals are widened so that the false coverage rate does, too (Benjamini and Yekutieli
2005, "False Discovery Rate-Adjusted Multiple Confidence Intervals", JASA 100, section 3.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf, log

from scipy.stats import false_discovery_control, fisher_exact
from scipy.stats.contingency import relative_risk

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the segment and how many of everyone, the segment included, have something."""

    segment: int
    everyone: int


@dataclass(frozen=True, slots=True)
class Lift:
    """The share in the segment over the share in everyone; 1 is no difference.

    `low` and `high` bound it at `confidence`. `p` is that of the exact test, `q` the smallest false
    discovery rate at which the row still counts as distinguishing. All but `confidence` are None
    where nothing can be compared: nobody has it, or the segment is nobody or everybody.
    """

    lift: float | None
    low: float | None
    high: float | None
    confidence: float
    p: float | None
    q: float | None
    is_distinguishing: bool

    @property
    def strength(self) -> float:
        """The end of the interval that is nearer to no difference, as a distance from it; the more
        the surer and larger the difference, whichever way. 0 for what does not distinguish."""
        if not self.is_distinguishing:
            return 0.0
        if self.lift is not None and self.lift > 1:
            return max(0.0, log(self.low)) if self.low else 0.0
        return max(0.0, -log(self.high)) if self.high else 0.0


def lifts(rows: Sequence[Counted], segment: int, everyone: int) -> list[Lift]:
    """The lift of each row among `segment` members of `everyone`; one family of comparisons.

    Raises ValueError for counts that cannot be.
    """
    for row in rows:
        if not 0 <= row.segment <= min(segment, row.everyone) <= row.everyone <= everyone:
            raise ValueError(f"{row} is impossible among {segment} of {everyone}")
        if row.everyone - row.segment > everyone - segment:
            raise ValueError(f"{row} is impossible among {segment} of {everyone}")
    others = everyone - segment
    if not segment or not others:
        return [Lift(None, None, None, 1 - ALPHA, None, None, False) for _ in rows]
    ps = [_p(row, segment, others) for row in rows]
    qs = [float(q) for q in false_discovery_control(ps)] if ps else []
    selected = sum(q <= ALPHA for q in qs)
    confidence = 1 - ALPHA * (selected or len(rows)) / max(1, len(rows))
    return [
        _lift(row, segment, everyone, confidence if q <= ALPHA else 1 - ALPHA, p, q)
        for row, p, q in zip(rows, ps, qs, strict=True)
    ]


def _p(row: Counted, segment: int, others: int) -> float:
    rest = row.everyone - row.segment
    table = [[row.segment, segment - row.segment], [rest, others - rest]]
    return float(fisher_exact(table).pvalue)


def _lift(row: Counted, segment: int, everyone: int, confidence: float, p: float, q: float) -> Lift:
    if not row.everyone:
        return Lift(None, None, None, confidence, p, q, False)
    low, high = _interval(row, segment, everyone - segment, confidence)
    weight = segment / everyone
    return Lift(
        lift=(row.segment / segment) / (row.everyone / everyone),
        low=_against_everyone(low, weight),
        high=_against_everyone(high, weight),
        confidence=confidence,
        p=p,
        q=q,
        is_distinguishing=q <= ALPHA,
    )


def _interval(row: Counted, segment: int, others: int, confidence: float) -> tuple[float, float]:
    """The interval of the risk ratio. The logarithm of nobody is no number: where one side has
    nobody, the finite end is that of one person there, which is nearer to no difference."""
    rest = row.everyone - row.segment
    ratio = relative_risk(max(1, row.segment), segment, max(1, rest), others)
    interval = ratio.confidence_interval(confidence)
    low = 0.0 if not row.segment else float(interval.low)
    high = float("inf") if not rest else float(interval.high)
    return low, high


def _against_everyone(ratio: float, weight: float) -> float:
    """A risk ratio against the others as a lift against all: `ratio / (w·ratio + 1 − w)`.

    It rises with the ratio, so that it carries the ends of an interval over.
    """
    return 1 / weight if isinf(ratio) else ratio / (weight * ratio + 1 - weight)
