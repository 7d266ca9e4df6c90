"""Weights of the MXM planes: what every pass multiplies is loaded, installed, whole and of its type.

A pass uses every column of the superlanes that it powers: after a reset a column holds nothing that a program
may rely on, so each must have been loaded in this iteration before an IW that is in force for the pass.
"""

import numpy as np

from sw.check.cover import mask_text, superlane_groups, uncovered
from sw.check.finding import Findings
from sw.check.issues import Issues
from sw.check.moments import Moments
from sw.isa.fields import MXM_TYPES
from sw.isa.rows.mxm import load_columns

_NEVER = np.iinfo(np.int64).max


class Weights:
    """LW, IW and passes of all planes; `*_plane` are plane numbers, `force` the cycle from which an IW
    counts."""

    def __init__(self, issues: Issues):
        self.issues = issues
        names = [unit for unit in dict.fromkeys(q.unit.name for q in issues.queues if q.cls == "MXM_W")]
        self.planes = len(names)
        of_queue = {name: k for k, name in enumerate(names)}
        self._of_queue = np.array([of_queue.get(queue.unit.name, -1) for queue in issues.queues])
        self.loads, self.installs = issues.select("LW"), issues.select("IW")
        self.passes = issues.select("ABC", "ABC_HOLD")
        self.force = issues.issue[self.installs] + issues.time("d_func", self.installs)
        self.load_plane, self.install_plane = self.plane(self.loads), self.plane(self.installs)
        self.pass_plane, self.pass_type = self.plane(self.passes), issues.field("dtype", self.passes)

    def plane(self, rows: np.ndarray) -> np.ndarray:
        """Plane number of every one of `rows`."""
        return self._of_queue[self.issues.queue[rows]]


def check_weights(weights: Weights, findings: Findings) -> None:
    """Rules `mxm-install`, `mxm-weights`, `mxm-torn` and `mxm-type`."""
    _installs(weights, findings)
    complete = _complete(weights, findings)
    _torn(weights, findings)
    _types(weights, complete, findings)


def _installs(w: Weights, findings: Findings) -> None:
    issues = w.issues
    given = w.load_plane, issues.issue[w.loads], issues.mask[w.loads]
    used = w.install_plane, issues.issue[w.installs] + 1, issues.mask[w.installs]
    lost = uncovered(given, used, issues.config.superlanes)
    bad = np.flatnonzero(lost)

    def sentence(i: int) -> str:
        where = mask_text(lost[bad[i]], issues.full)
        return f"installs a weight buffer into which no LW has loaded anything{where}"

    findings.add("mxm-install", w.installs[bad], sentence)


def _complete(w: Weights, findings: Findings) -> np.ndarray:
    """Reports passes whose weights are not all there; which passes have theirs."""
    issues, c = w.issues, w.issues.config
    columns = issues.of_op(lambda op: load_columns(op.values), w.loads)
    each = np.repeat(np.arange(len(w.loads)), columns)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(columns) - columns, columns)
    column = w.load_plane[each] * c.vl + issues.field("col", w.loads)[each] + nth
    load_mask, install_mask, pass_mask = (issues.mask[rows] for rows in (w.loads, w.installs, w.passes))
    lost = np.zeros(len(w.passes), np.int64)
    gaps = np.zeros(len(w.passes), np.int64)
    for group in superlane_groups(np.concatenate((load_mask, install_mask, pass_mask)), c.superlanes):
        loaded = np.full(w.planes * c.vl, _NEVER)
        powered = load_mask[each] & group != 0
        np.minimum.at(loaded, column[powered], issues.issue[w.loads[each[powered]]])
        loaded = loaded.reshape(w.planes, c.vl)
        complete = loaded.max(axis=1, initial=0)
        good = (install_mask & group != 0) & (issues.issue[w.installs] >= complete[w.install_plane])
        ready = np.full(w.planes, _NEVER)
        np.minimum.at(ready, w.install_plane[good], w.force[good])
        late = (pass_mask & group != 0) & (issues.issue[w.passes] < ready[w.pass_plane])
        lost[late] |= group
        gaps[late] = (loaded == _NEVER).sum(axis=1)[w.pass_plane[late]]
    bad = np.flatnonzero(lost)

    def sentence(i: int) -> str:
        where, never = mask_text(lost[bad[i]], issues.full), gaps[bad[i]]
        why = (
            f"{never} columns of {c.vl} are never loaded"
            if never
            else "no IW after the last of them is in force"
        )
        return f"multiplies weights{where} that are not there, {why}"

    findings.add("mxm-weights", w.passes[bad], sentence)
    return lost == 0


def _torn(w: Weights, findings: Findings) -> None:
    issues = w.issues
    start, turn = issues.issue[w.passes], issues.time("turn", w.passes)
    horizon = int(max(start.max(initial=0) + turn.max(initial=0), w.force.max(initial=0))) + 2
    hit = Moments(w.install_plane, w.force, horizon).between(w.pass_plane, start + 1, start + turn)
    bad = np.flatnonzero(hit >= 0)

    def sentence(i: int) -> str:
        other, cycle = issues.text(int(w.installs[hit[bad[i]]])), w.force[hit[bad[i]]]
        return f"takes {turn[bad[i]]} cycles, and {other} changes its weights in cycle {cycle}"

    findings.add("mxm-torn", w.passes[bad], sentence, w.installs[hit[bad]])


def _types(w: Weights, complete: np.ndarray, findings: Findings) -> None:
    issues = w.issues
    load_type = issues.field("dtype", w.loads)
    wrong = np.zeros(len(w.passes), bool)
    for plane in range(w.planes):
        kinds = np.unique(load_type[w.load_plane == plane])
        mine = w.pass_plane == plane
        if len(kinds) == 1:
            wrong |= mine & (w.pass_type != kinds[0])
        elif len(kinds) == 2:
            wrong |= mine & _mixed(w, plane, load_type)
    bad = np.flatnonzero(wrong & complete)

    def sentence(i: int) -> str:
        kind = w.pass_type[bad[i]]
        return f"is a pass of {MXM_TYPES[kind]}, but weights in force were loaded as {MXM_TYPES[1 - kind]}"

    findings.add("mxm-type", w.passes[bad], sentence)


def _mixed(w: Weights, plane: int, load_type: np.ndarray) -> np.ndarray:
    """Passes of a plane that loads both types which find columns of the other type in force, by replaying its
    loads."""
    issues, c = w.issues, w.issues.config
    bit = 1 << np.arange(c.superlanes)
    loads, installs = np.flatnonzero(w.load_plane == plane), np.flatnonzero(w.install_plane == plane)
    columns = issues.of_op(lambda op: load_columns(op.values), w.loads)
    col = issues.field("col", w.loads)
    steps = [(t, 0, k) for t, k in zip(issues.issue[w.loads[loads]], loads, strict=True)]
    steps += [(t, 1, k) for t, k in zip(issues.issue[w.installs[installs]], installs, strict=True)]
    buffer = np.full((c.vl, c.superlanes), -1)
    array = buffer.copy()
    #: By IW and type: superlanes that hold a column of that type.
    holds = np.zeros((len(w.installs) + 1, len(MXM_TYPES)), np.int64)
    for _, is_install, k in sorted(steps):
        powered = issues.mask[(w.installs if is_install else w.loads)[k]] & bit != 0
        if is_install:
            array[:, powered] = buffer[:, powered]
            holds[k] = [bit[(array == kind).any(axis=0)].sum() for kind in range(len(MXM_TYPES))]
        else:
            buffer[col[k] : col[k] + columns[k], powered] = load_type[k]
    issue = issues.issue[w.passes]
    horizon = int(max(issue.max(initial=0), w.force.max(initial=0))) + 3
    last = Moments(w.install_plane, w.force, horizon).last_before(w.pass_plane, issue + 1)
    return holds[last, 1 - w.pass_type] & issues.mask[w.passes] != 0
