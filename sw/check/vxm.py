"""The vector unit: what an ALU can do and reach, one result a cycle, and operands that stand in the
neighbour."""

import numpy as np

from sw.arch.stream import Stream
from sw.check.cover import clashes, mask_text, uncovered
from sw.check.finding import Findings
from sw.check.issues import Issues
from sw.isa.fields import CHAIN, SOURCES
from sw.isa.rows.vxm import alu_class, reachable_groups

_CLASSES = ("simple", "float", "special")


def check_vxm(issues: Issues, findings: Findings) -> None:
    """Rules `vxm-class`, `vxm-reach`, `vxm-result` and `vxm-chain`."""
    rows = issues.select_class("VXM")
    alus = np.array([queue.number for queue in issues.queues])
    alu = alus[issues.queue[rows]]
    _classes(issues, rows, alu, findings)
    _reach(issues, rows, alus, findings)
    _results(issues, rows, alu, findings)
    _chains(issues, rows, alu, findings)


def _classes(issues: Issues, rows: np.ndarray, alu: np.ndarray, findings: Findings) -> None:
    c = issues.config
    kind = issues.of_op(lambda op: _CLASSES.index(alu_class(op.instr.name, op["dtype"])), rows)
    able = np.zeros((len(_CLASSES), c.alus), bool)
    able[0] = True
    able[1, list(c.vxm.float_alus)] = True
    able[2, list(c.vxm.special_alus)] = True
    bad = np.flatnonzero(~able[kind, alu])

    def sentence(i: int) -> str:
        name = _CLASSES[kind[bad[i]]]
        have = np.flatnonzero(able[kind[bad[i]]]).tolist()
        return f"is of class {name}, which ALU {alu[bad[i]]} lacks (vxm.{name}_alus is {have})"

    findings.add("vxm-class", rows[bad], sentence)


def _reach(issues: Issues, rows: np.ndarray, alus: np.ndarray, findings: Findings) -> None:
    c = issues.config
    inside = np.zeros((c.alus, c.streams // 4), bool)
    for alu in range(c.alus):
        inside[alu, list(reachable_groups(c, alu))] = True
    vector = np.zeros(len(issues.op), bool)
    vector[rows] = True
    for touches, verb in ((issues.reads, "reads"), (issues.drives, "drives")):
        mine = np.flatnonzero(vector[touches.row])
        alu = alus[issues.queue[touches.row[mine]]]
        bad = np.flatnonzero(~inside[alu, touches.code[mine] % c.streams // 4])
        row, code = touches.row[mine[bad]], touches.code[mine[bad]]
        keep = np.unique(row, return_index=True)[1]

        def sentence(i: int, verb=verb, row=row[keep], code=code[keep]) -> str:
            number = int(alus[issues.queue[row[i]]])
            groups = ", ".join(map(str, reachable_groups(c, number)))
            name = Stream.of(int(code[i]), c.streams)
            return f"{verb} {name}, ALU {number} reaches groups {groups} of four streams"

        findings.add("vxm-reach", row[keep], sentence)


def _results(issues: Issues, rows: np.ndarray, alu: np.ndarray, findings: Findings) -> None:
    leave = issues.issue[rows] + issues.time("d_chain", rows)
    first, second = clashes(leave * issues.config.alus + alu)

    def sentence(i: int) -> str:
        other = issues.text(int(rows[first[i]]))
        return f"and {other} both leave ALU {alu[second[i]]} in cycle {leave[second[i]]}"

    findings.add("vxm-result", rows[second], sentence, rows[first])


def _chains(issues: Issues, rows: np.ndarray, alu: np.ndarray, findings: Findings) -> None:
    c = issues.config
    span = c.alus + 2
    stand = issues.issue[rows] + issues.time("d_chain", rows)
    given = stand * span + alu + 1, np.zeros(len(rows), np.int64), issues.mask[rows]
    for field, names in (("a_from", SOURCES), ("b_from", SOURCES), ("m_from", CHAIN)):
        source = issues.field(field, rows)
        for name, step in (("PREV", -1), ("NEXT", 1)):
            users = np.flatnonzero(source == names.index(name))
            wanted = issues.issue[rows[users]] + issues.time("chain_skew", rows[users])
            neighbour = alu[users] + step
            used = wanted * span + neighbour + 1, np.ones(len(users), np.int64), issues.mask[rows[users]]
            lost = uncovered(given, used, c.superlanes)
            bad = np.flatnonzero(lost)

            def sentence(i: int, bad=bad, lost=lost, wanted=wanted, neighbour=neighbour, name=name) -> str:
                k = bad[i]
                if not 0 <= neighbour[k] < c.alus:
                    return f"takes {name}, but the ALUs go from 0 to {c.alus - 1}"
                where = mask_text(lost[k], issues.full)
                return f"takes {name}, but ALU {neighbour[k]} has no result{where} in cycle {wanted[k]}"

            findings.add("vxm-chain", rows[users[bad]], sentence)
