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
    """Rules `link-busy`, `link-align`, `link-stretch` and `link-deskew`."""
    _busy(issues, findings)
    _aligned(issues, findings)
    rows = issues.select("DESKEW")
    findings.add("link-deskew", rows[1:], lambda i: "is the second DESKEW of the chip, it has one an iteration")


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
    ends = issues.issue[users] + frame_words(issues.config)
    longest = issues.config.c2c.stretch
    late = np.flatnonzero((found >= 0) & (ends - np.append(cycles, 0)[found] > longest))

    def sentence(i: int) -> str:
        k = late[i]
        return f"ends {ends[k] - cycles[found[k]]} cycles after the ALIGN of its port, c2c.stretch is {longest}"

    findings.add("link-stretch", users[late], sentence, aligns[found[late]])
