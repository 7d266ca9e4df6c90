"""Passes of the MXM planes and the ACC words that meet them."""

import numpy as np

from sw.check.cover import clashes, mask_text, uncovered
from sw.check.finding import Findings
from sw.check.issues import Issues
from sw.check.moments import Moments
from sw.check.weights import Weights
from sw.isa.fields import ACC_MODES, MXM_TYPES

_MODE = {name: code for code, name in enumerate(ACC_MODES)}
_NEEDS_ROW = [_MODE[name] for name in ("ADD", "ADD_OUT", "READ")]


def check_passes(weights: Weights, findings: Findings) -> None:
    """Rules `mxm-overlap`, `mxm-hold`, `mxm-meet`, `acc-pass`, `acc-lost`, `acc-type`, `acc-unset` and
    `acc-turn`."""
    issues = weights.issues
    _overlaps(weights, findings)
    _holds(weights, findings)
    words = issues.select("ACC")
    _meetings(weights, words, findings)
    _rows(weights, words, findings)


def _overlaps(w: Weights, findings: Findings) -> None:
    issues = w.issues
    order = np.argsort(w.pass_plane, kind="stable")
    rows, plane = w.passes[order], w.pass_plane[order]
    issue, turn = issues.issue[rows], issues.time("turn", rows)
    bad = np.flatnonzero((plane[1:] == plane[:-1]) & (issue[1:] - issue[:-1] < turn[:-1]))

    def sentence(i: int) -> str:
        return f"starts a pass inside {issues.text(int(rows[bad[i]]))}, which takes {turn[bad[i]]} cycles"

    findings.add("mxm-overlap", rows[bad + 1], sentence, rows[bad])


def _holds(w: Weights, findings: Findings) -> None:
    issues = w.issues
    fresh = issues.of_op(lambda op: op.instr.name == "ABC", w.passes) != 0
    horizon = int(issues.issue[w.passes].max(initial=0)) + 2
    source = np.flatnonzero(fresh)
    start = issues.issue[w.passes]
    before = Moments(w.pass_plane[source], start[source], horizon).last_before(w.pass_plane, start)
    held = np.flatnonzero(~fresh)
    lost = held[before[held] < 0]
    findings.add("mxm-hold", w.passes[lost], lambda i: "holds activations, but no ABC came before it")
    held = held[before[held] >= 0]
    last = source[before[held]]
    less = issues.mask[w.passes[held]] & ~issues.mask[w.passes[last]] != 0
    bad = np.flatnonzero((w.pass_type[held] != w.pass_type[last]) | less)

    def sentence(i: int) -> str:
        other = issues.text(int(w.passes[last[bad[i]]]))
        return f"holds the activations of {other}, which is of another type or has fewer superlanes powered"

    findings.add("mxm-hold", w.passes[held[bad]], sentence, w.passes[last[bad]])


def _meetings(w: Weights, words: np.ndarray, findings: Findings) -> None:
    issues = w.issues
    arrival = issues.issue[w.passes] + issues.time("d_func", w.passes)
    first, second = clashes(arrival * (w.planes + 1) + w.pass_plane)

    def meet(i: int) -> str:
        other = issues.text(int(w.passes[first[i]]))
        return f"and {other} both arrive at ACC in cycle {arrival[second[i]]}"

    findings.add("mxm-meet", w.passes[second], meet, w.passes[first])

    issue, plane, mode = issues.issue[words], w.plane(words), issues.field("mode", words)
    horizon = int(max(arrival.max(initial=0), issue.max(initial=0))) + 2
    takes = np.flatnonzero(mode != _MODE["READ"])
    met = Moments(w.pass_plane, arrival, horizon).at(plane[takes], issue[takes])
    alone = takes[met < 0]
    findings.add("acc-pass", words[alone], lambda i: "meets no pass, none arrives at ACC in its cycle")
    takes, met = takes[met >= 0], met[met >= 0]
    kind = issues.field("dtype", words)
    bad = np.flatnonzero(kind[takes] != w.pass_type[met])

    def other_type(i: int) -> str:
        other = issues.text(int(w.passes[met[bad[i]]]))
        return f"is of {MXM_TYPES[kind[takes[bad[i]]]]} and meets {other}"

    findings.add("acc-type", words[takes[bad]], other_type, w.passes[met[bad]])
    taken = Moments(plane[takes], issue[takes], horizon).at(w.pass_plane, arrival)
    lost = np.flatnonzero(taken < 0)

    def unmet(i: int) -> str:
        return f"gives a pass that arrives at ACC in cycle {arrival[lost[i]]}, where no word takes it"

    findings.add("acc-lost", w.passes[lost], unmet)


def _rows(w: Weights, words: np.ndarray, findings: Findings) -> None:
    issues, c = w.issues, w.issues.config
    mode, kind = issues.field("mode", words), issues.field("dtype", words)
    place = w.plane(words) * c.mxm.acc_rows + issues.field("row", words)
    issue, mask = issues.issue[words], issues.mask[words]
    sets = np.flatnonzero(mode == _MODE["SET"])
    users = np.flatnonzero(np.isin(mode, _NEEDS_ROW))
    given = place[sets], issue[sets], mask[sets]
    lost = uncovered(given, (place[users], issue[users], mask[users]), c.superlanes)
    bad = np.flatnonzero(lost)

    def unset(i: int) -> str:
        row, where = place[users[bad[i]]] % c.mxm.acc_rows, mask_text(lost[bad[i]], issues.full)
        return f"uses accumulator row {row}, which no ACC has SET before it{where}"

    findings.add("acc-unset", words[users[bad]], unset)

    horizon = int(issue.max(initial=0)) + 2
    last = Moments(place[sets], issue[sets], horizon).last_before(place[users], issue[users])
    found = np.flatnonzero(last >= 0)
    found = found[kind[users[found]] != kind[sets[last[found]]]]

    def mistyped(i: int) -> str:
        row, other = place[users[found[i]]] % c.mxm.acc_rows, issues.text(int(words[sets[last[found[i]]]]))
        return f"is of {MXM_TYPES[kind[users[found[i]]]]}, but row {row} was set by {other}"

    findings.add("acc-type", words[users[found]], mistyped, words[sets[last[found]]])
    _turns(issues, words, mode, place, findings)


def _turns(
    issues: Issues, words: np.ndarray, mode: np.ndarray, place: np.ndarray, findings: Findings
) -> None:
    """PASS has a row field but uses no row."""
    using = np.flatnonzero(mode != _MODE["PASS"])
    order = using[np.lexsort((issues.issue[words[using]], place[using]))]
    rows, where = words[order], place[order]
    issue, turn = issues.issue[rows], issues.time("turn", rows)
    least = np.maximum(turn[1:], turn[:-1])
    bad = np.flatnonzero((where[1:] == where[:-1]) & (issue[1:] - issue[:-1] < least))

    def sentence(i: int) -> str:
        other = issues.text(int(rows[bad[i]]))
        return f"follows {other} on one accumulator row, they must be at least {least[bad[i]]} cycles apart"

    findings.add("acc-turn", rows[bad + 1], sentence, rows[bad])
