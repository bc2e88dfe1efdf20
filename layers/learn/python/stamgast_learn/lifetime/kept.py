"""A model of lifetime values as it is kept: parameters as plain data, or trees in an archive."""

import io
import json
import zipfile
from dataclasses import dataclass

from stamgast_learn.calibration import Floats
from stamgast_learn.lifetime.bg_nbd import bg_nbd_of
from stamgast_learn.lifetime.forecast import Interval, forecast, value_interval
from stamgast_learn.lifetime.gamma_gamma import gamma_gamma_of
from stamgast_learn.lifetime.judged import LEVEL, SEED, Fitted, Values
from stamgast_learn.lifetime.levels import Levels, levels_from
from stamgast_learn.predict.panel import Panel

ABOUT, TREES = "about.json", "trees.skops"


@dataclass(frozen=True, slots=True)
class Valuer:
    """Both models of the population, and the trees where those were better, with their bounds.

    `learnt_until` is the newest cut-off whose outcome it has seen, in days since 1970.
    """

    fitted: Fitted
    trees: Values | None
    learnt_until: int
    levels: Levels | None = None

    def value(self, panel: Panel, within_days: int) -> Floats:
        """The money expected of each row."""
        if self.trees is not None:
            return self.trees(panel)
        return self.fitted.value(panel.known, within_days)

    def interval(self, panel: Panel, within_days: int) -> Interval:
        """The interval of each row's money, at 90 %."""
        if self.levels is not None:
            return self.levels.interval(self.value(panel, within_days))
        told = self.fitted
        return value_interval(told.buying, told.spending, panel.known, within_days, LEVEL, SEED)

    def alive(self, panel: Panel, within_days: int) -> tuple[Floats, Floats]:
        """P(alive), and the purchases expected, of each row."""
        told = forecast(self.fitted.buying, self.fitted.spending, panel.known, within_days)
        return told.alive, told.purchases

    def dumped(self) -> bytes:
        """The model as an archive of data."""
        about = {
            "buying": self.fitted.buying.to_json(),
            "spending": self.fitted.spending.to_json(),
            "features": None if self.trees is None else list(self.trees.features),
            "learnt_until": self.learnt_until,
            "levels": None if self.levels is None else self.levels.to_json(),
        }
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(ABOUT, json.dumps(about, sort_keys=True))
            if self.trees is not None:
                archive.writestr(TREES, self.trees.dumped())
        return kept.getvalue()


def valuer_of(told: bytes) -> Valuer:
    """The model that `dumped` told; raises skops' UntrustedTypesFoundException for others."""
    with zipfile.ZipFile(io.BytesIO(told)) as archive:
        about = json.loads(archive.read(ABOUT))
        trees = None
        if about["features"] is not None:
            trees = Values.of(archive.read(TREES), tuple(about["features"]))
    fitted = Fitted(bg_nbd_of(about["buying"]), gamma_gamma_of(about["spending"]))
    levels = about.get("levels")
    return Valuer(fitted, trees, about["learnt_until"], levels and levels_from(levels))
