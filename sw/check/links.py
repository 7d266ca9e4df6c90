"""Link ports of one chip: a transmit half sends one thing at a time, a receive half is aligned before it is used."""

import numpy as np

from sw.arch.links import frame_words
from sw.check.finding import Findings
from sw.check.issues import Issues
from sw.check.moments import Moments

SENDING = ("SEND", "FORWARD", "TRANSMIT")


def ports(issues: Issues, rows: np.ndarray) -> np.ndarray:
    """The port of every row's queue."""
    of_queue = np.array([(q.unit.hemisphere or 0) * issues.config.c2c.links + q.number for q in issues.queues])
    return of_queue[issues.queue[rows]]


def taken_from(issues: Issues, rows: np.ndarray) -> np.ndarray:
    """The receive port that every RECEIVE, ALIGN or FORWARD uses."""
    links, own = issues.config.c2c.links, ports(issues, rows)
    named = issues.field("link", rows)
    return np.where(named < 0, own, own // max(1, links) * links + named)


def check_links(issues: Issues, findings: Findings) -> None:
    """Rules `link-busy`, `link-align`, `link-stretch`, `link-deskew` and `link-pause`."""
    _busy(issues, findings)
    _aligned(issues, findings)
    rows = issues.select("DESKEW")
    findings.add("link-deskew", rows[1:], lambda i: "is the second DESKEW of the chip, it has one an iteration")
    _paused(issues, findings)


def _busy(issues: Issues, findings: Findings) -> None:
    rows = issues.select(*SENDING)
    rows = rows[np.argsort(ports(issues, rows), kind="stable")]
    port, issue, turn = ports(issues, rows), issues.issue[rows], issues.time("turn", rows)
    bad = np.flatnonzero((port[1:] == port[:-1]) & (issue[1:] - issue[:-1] < turn[:-1]))

    def sentence(i: int) -> str:
        k = bad[i]
        return f"follows {issues.text(int(rows[k]))}, which takes the port for {turn[k]} cycles"

    findings.add("link-busy", rows[bad + 1], sentence, rows[bad])


def _aligned(issues: Issues, findings: Findings) -> None:
    aligns, users = issues.select("ALIGN"), issues.select("RECEIVE", "FORWARD")
    cycles = issues.issue[aligns]
    horizon = int(max(issues.issue.max(initial=0), cycles.max(initial=0))) + 2
    marks = Moments(ports(issues, aligns), cycles, horizon)
    found = marks.last_before(taken_from(issues, users), issues.issue[users])
    lost = users[found < 0]
    findings.add("link-align", lost, lambda i: "uses a port that no ALIGN has aligned before")
    pauses = issues.issue[issues.select("RUNTIME_DESKEW")]
    aligned = np.append(cycles, 0)[found]
    outdated = (found >= 0) & (np.searchsorted(pauses, aligned) != np.searchsorted(pauses, issues.issue[users]))
    findings.add("link-align", users[outdated], lambda i: "uses a port that no ALIGN has aligned since RUNTIME_DESKEW")
    ends = issues.issue[users] + frame_words(issues.config)
    longest = issues.config.c2c.stretch
    late = np.flatnonzero((found >= 0) & (ends - aligned > longest))

    def sentence(i: int) -> str:
        k = late[i]
        return f"ends {ends[k] - cycles[found[k]]} cycles after the ALIGN of its port, c2c.stretch is {longest}"

    findings.add("link-stretch", users[late], sentence, aligns[found[late]])


def _paused(issues: Issues, findings: Findings) -> None:
    """How long a pause takes by a chip's own clock is not known before, so nothing may be on its way over it."""
    holds = issues.select("DESKEW", "RUNTIME_DESKEW")
    if not holds.size:
        return
    others = np.setdiff1d(np.arange(len(issues.issue)), issues.select("SYNC", "HALT"))
    number = np.searchsorted(issues.issue[holds], issues.issue[others], "right") - 1
    release = issues.issue[holds] + issues.time("d_func", holds)
    bad = np.flatnonzero((number >= 0) & (holds[number] != others) & (issues.issue[others] < release[number]))

    def sentence(i: int) -> str:
        k = number[bad[i]]
        return f"issues before cycle {release[k]}, up to which all queues are to be parked for {issues.text(int(holds[k]))}"

    findings.add("link-pause", others[bad], sentence, holds[number[bad]])
