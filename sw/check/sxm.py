"""The switch unit: a map is loaded before it is used."""

import numpy as np

from sw.check.cover import mask_text, uncovered
from sw.check.finding import Findings
from sw.check.issues import Issues
from sw.isa.fields import SHIFT_MODES


def check_sxm(issues: Issues, findings: Findings) -> None:
    """Rule `sxm-map`."""
    shifts = issues.select("SHIFT")
    selects = shifts[issues.field("mode", shifts) == SHIFT_MODES.index("SELECT")]
    for users, loader in ((issues.select("PERMUTE"), "MAP"), (selects, "SELECT_MAP")):
        _maps(issues, users, loader, findings)


def _maps(issues: Issues, users: np.ndarray, loader: str, findings: Findings) -> None:
    loads = issues.select(loader)
    force = issues.issue[loads] + issues.time("d_func", loads)
    given = issues.queue[loads], force - 1, issues.mask[loads]
    used = issues.queue[users], issues.issue[users], issues.mask[users]
    lost = uncovered(given, used, issues.config.superlanes)
    bad = np.flatnonzero(lost)

    def sentence(i: int) -> str:
        where = mask_text(lost[bad[i]], issues.full)
        return f"finds no map in its engine{where}, no {loader} came before it"

    findings.add("sxm-map", users[bad], sentence)
