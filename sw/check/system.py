"""Programs of several chips: everything that is sent is taken, where and when it comes, by who expects it."""

from dataclasses import replace

import numpy as np

from sw.arch.links import HAC_PERIOD, slack
from sw.arch.system import Link, Port, System
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.check.finding import Finding, Findings
from sw.check.issues import Issues
from sw.check.links import ports, taken_from
from sw.check.program import check


def check_system(system: System, images: list[Image], limit: int = 50) -> list[Finding]:
    """Everything that is wrong with one iteration of the programs of all chips, the `limit` earliest findings.

    What is wrong with a single chip's program comes first; what chips do with each other is looked at only when nothing
    is. Without findings nothing is lost on a link, as long as links have the latencies that `system` gives them, and clocks
    keep to `c2c.ppm`.
    """
    found = [replace(one, chip=chip) for chip, image in enumerate(images) for one in check(image, limit)]
    if not found:
        found = _Traffic(system, [Issues(timeline(image)) for image in images], limit).follow()
    return sorted(found, key=lambda one: -1 if one.cycle is None else one.cycle)[:limit]


def _aligns(issues: Issues) -> dict[int, np.ndarray]:
    """For every port the cycles in which it is aligned."""
    rows = issues.select("ALIGN")
    of_port = ports(issues, rows)
    return {port: issues.issue[rows[of_port == port]] for port in np.unique(of_port).tolist()}


class _Traffic:
    """All that goes over the links, followed from where it is sent to where it is taken."""

    def __init__(self, system: System, chips: list[Issues], limit: int):
        self._system, self._chips = system, chips
        self._findings = [Findings(issues, limit) for issues in chips]
        #: Chip -> (port, cycle) -> rows that take what stands there.
        self._takers: list[dict[tuple[int, int], list[int]]] = []
        for issues in chips:
            rows = issues.select("RECEIVE", "ALIGN", "FORWARD")
            takers: dict[tuple[int, int], list[int]] = {}
            for row, port, cycle in zip(rows.tolist(), taken_from(issues, rows).tolist(), issues.issue[rows], strict=True):
                takers.setdefault((port, int(cycle)), []).append(row)
            self._takers.append(takers)
        self._met: list[set[int]] = [set() for _ in chips]
        self._pauses = [issues.issue[issues.select("RUNTIME_DESKEW")] for issues in chips]
        #: Chip -> port -> cycles of ALIGN.
        self._aligns = [_aligns(issues) for issues in chips]
        #: System time of each chip's cycle 0.
        self._begin: dict[int, int] = {}

    def follow(self) -> list[Finding]:
        """Sends everything on its way, and tells what goes wrong."""
        if self._deskew():
            for chip, issues in enumerate(self._chips):
                rows = issues.select("SEND", "TRANSMIT")
                for row, port in zip(rows.tolist(), ports(issues, rows).tolist(), strict=True):
                    self._fly(chip, row, chip, port, int(issues.issue[row]))
            for chip, takers in enumerate(self._takers):
                for row in sorted({row for rows in takers.values() for row in rows} - self._met[chip]):
                    self._add("link-meet", chip, row, "meets nothing, nothing is sent so that it stands at the port then")
        return [
            replace(one, chip=chip) for chip, findings in enumerate(self._findings) for one in findings.first()
        ]

    def _add(self, rule: str, chip: int, row: int, sentence: str) -> None:
        self._findings[chip].add(rule, np.array([row]), lambda i: sentence)

    def _fly(self, origin: int, row: int, chip: int, port: int, cycle: int) -> None:
        """Follows what instruction `row` of chip `origin` sends, from where it leaves a port of `chip`."""
        issues = self._chips[origin]
        link, name = self._system.from_port(Port(chip, port)), self._name(origin, row)
        if link is None:
            self._add("link-lost", origin, row, f"goes nowhere, no link begins at {Port(chip, port)}")
            return
        target, sent = link.target, cycle
        cycle += self._begin[chip] + link.latency - self._begin[target.chip]
        takers = self._takers[target.chip].get((target.number, cycle), [])
        if not takers and name == "SEND":
            self._add("link-lost", origin, row, f"is not taken, it comes to {target} in its cycle {cycle}")
        if takers and name == "SEND":
            self._agree(origin, row, link, sent, cycle)
        for taker in takers:
            self._met[target.chip].add(taker)
            kind = self._name(target.chip, taker)
            if (kind == "ALIGN") != (name == "TRANSMIT"):
                what = f"meets '{issues.text(row)}' of chip {origin}"
                self._add("link-meet", target.chip, taker, what)
            elif kind == "FORWARD":
                out = int(ports(self._chips[target.chip], np.array([taker]))[0])
                self._fly(origin, row, target.chip, out, cycle)
            elif kind == "RECEIVE":
                self._number(origin, row, target.chip, taker)

    def _agree(self, origin: int, row: int, link: Link, sent: int, came: int) -> None:
        """Finds a frame whose port was aligned by a mark from before its sender's last pause."""
        aligns, pauses = self._aligns[link.target.chip][link.target.number], self._pauses[link.source.chip]
        mark = aligns[np.searchsorted(aligns, came) - 1] - came + sent
        if np.searchsorted(pauses, mark) != np.searchsorted(pauses, sent):
            sentence = f"leaves chip {link.source.chip} after its RUNTIME_DESKEW at cycle {pauses[pauses < sent][-1]}"
            self._add("link-align", origin, row, f"{sentence}, no ALIGN has aligned {link.target} since")

    def _number(self, origin: int, row: int, chip: int, taker: int) -> None:
        sent = int(self._chips[origin].field("number", np.array([row]))[0])
        expected = int(self._chips[chip].field("number", np.array([taker]))[0])
        if sent != expected:
            sentence = f"expects frame {expected}, {self._chips[origin].text(row)} of chip {origin} sends {sent}"
            self._add("link-number", chip, taker, sentence)

    def _name(self, chip: int, row: int) -> str:
        issues = self._chips[chip]
        return issues.ops[issues.op[row]].instr.name

    def _deskew(self) -> bool:
        """Finds when each chip begins: it waits for a mark, and goes on when the HAC overflows next."""
        left = dict(enumerate(self._chips))
        while left:
            found = {chip: begin for chip in left if (begin := self._release(chip)) is not None}
            if not found:
                chip, issues = min(left.items())
                self._add("link-deskew", chip, int(issues.select("DESKEW")[0]), "waits for a mark that does not come")
                return False
            self._begin |= found
            left = {chip: issues for chip, issues in left.items() if chip not in found}
        return True

    def _release(self, chip: int) -> int | None:
        """System time of a chip's cycle 0; None if it waits for a chip of which that is not known."""
        issues = self._chips[chip]
        rows = issues.select("DESKEW")
        if not rows.size:
            return 0
        onward = int(issues.issue[rows[0]] + issues.time("d_func", rows)[0])
        if not issues.field("wait", rows)[0]:
            return -onward
        link = self._system.to_port(Port(chip, int(ports(issues, rows)[0])))
        if link is None or link.source.chip not in self._begin:
            return None
        source = self._chips[link.source.chip]
        marks = source.select("TRANSMIT")
        marks = source.issue[marks[ports(source, marks) == link.source.number]]
        if not marks.size:
            return None
        trip = int(issues.time("d_func", rows)[0])
        comes = int(marks[0]) + self._begin[link.source.chip] + link.latency + trip
        if comes % HAC_PERIOD < slack(self._system.config):
            sentence = f"may be early or late, its mark comes {comes % HAC_PERIOD} cycles after it is looked for in vain"
            self._add("link-deskew", chip, int(rows[0]), f"{sentence}, {slack(self._system.config)} are needed")
        return comes - comes % HAC_PERIOD + HAC_PERIOD - onward
