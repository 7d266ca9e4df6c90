"""Instruction queues: fetches that share the fetch port of a stop."""

import numpy as np

from sw.check.finding import Findings
from sw.check.issues import Issues


def check_queues(issues: Issues, findings: Findings) -> None:
    """Rule `fetch-port`: IFETCHes of the queues of one stop are at least `turn` cycles apart."""
    rows = issues.select("IFETCH")
    rows = rows[np.argsort(issues.stop[issues.queue[rows]], kind="stable")]
    stop, issue, turn = issues.stop[issues.queue[rows]], issues.issue[rows], issues.time("turn", rows)
    bad = np.flatnonzero((stop[1:] == stop[:-1]) & (issue[1:] - issue[:-1] < turn[1:]))

    def sentence(i: int) -> str:
        other, k = issues.text(int(rows[bad[i]])), bad[i] + 1
        return f"follows {other} at the fetch port of stop {stop[k]} by less than {turn[k]} cycles"

    findings.add("fetch-port", rows[bad + 1], sentence, rows[bad])
