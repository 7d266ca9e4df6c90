"""MXM planes: ACC meets the passes, keeps accumulators, and drives results."""

import numpy as np

from sw.arch.dtype import DType
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.lanes import split
from sw.golden.merge import lane_mask
from sw.golden.moments import Moments
from sw.golden.mxm import Passes
from sw.golden.scalar import evaluate
from sw.golden.state import State
from sw.golden.weights import planes
from sw.isa.fields import ACC_MODES, MXM_TYPES
from sw.isa.rows.mxm import FP16

PASS, SET, ADD, ADD_OUT, READ = range(len(ACC_MODES))


class Accumulators:
    """All ACC of all planes. What a row holds after SET or ADD is kept in the row of `State.sums` of the
    pass that it met, so a row of accumulators is a chain of passes."""

    def __init__(self, events: Events, graph: Graph, passes: Passes):
        self._events = events
        self._chosen = chosen = events.select("ACC")
        number = planes(events)
        plane = chosen.each(lambda e: number[e.queue.unit.name])
        self._mode, dtype = chosen.field("mode"), chosen.field("dtype")
        self._result = chosen.result(0)
        self._masked = chosen.mask != events.full
        self._meet(graph, passes, plane, dtype)
        self._hold(graph, plane * events.config.mxm.acc_rows + chosen.field("row"), dtype)
        graph.register(self, chosen.node, dtype * len(ACC_MODES) + self._mode)

    def _meet(self, graph: Graph, passes: Passes, plane: np.ndarray, dtype: np.ndarray) -> None:
        arrivals = Moments(passes.plane, passes.arrival, self._events.horizon)
        if pair := arrivals.twice():
            a, b = (self._events.where(passes.chosen.node[i]) for i in pair)
            raise GoldenError(f"The sums of {a} and of {b} arrive at ACC in one cycle.")
        #: Number of the pass, -1 for READ.
        self._pass = np.where(self._mode == READ, -1, arrivals.at(plane, self._chosen.issue))
        needs = self._mode != READ
        if (lost := needs & (self._pass < 0)).any():
            raise GoldenError(f"{self._where(lost)} meets no pass.")
        met = np.flatnonzero(needs)
        graph.wait(passes.chosen.node[self._pass[met]], self._chosen.node[met])
        wrong = np.zeros(len(needs), bool)
        wrong[met] = passes.dtype[self._pass[met]] != dtype[met]
        if wrong.any():
            bad = np.flatnonzero(wrong)[0]
            raise GoldenError(
                f"{self._where(wrong)} is of {MXM_TYPES[dtype[bad]]}, the pass is of another type."
            )

    def _hold(self, graph: Graph, row: np.ndarray, dtype: np.ndarray) -> None:
        chosen = self._chosen
        updates = np.flatnonzero(np.isin(self._mode, (SET, ADD)))
        moments = Moments(row[updates], chosen.issue[updates], self._events.horizon)
        found = moments.before(row, chosen.issue)
        wants = np.isin(self._mode, (ADD, ADD_OUT, READ))
        if (lost := wants & (found < 0)).any():
            first = chosen.field("row")[lost][0]
            raise GoldenError(f"{self._where(lost)} reads accumulator row {first}, never set.")
        wants |= self._masked & (self._mode == SET)
        linked = np.flatnonzero(wants & (found >= 0))
        before = updates[found[linked]]
        graph.wait(chosen.node[before], chosen.node[linked])
        #: Number of the pass whose sums the accumulator row holds, -1 if nobody set it.
        self._held = np.full(len(row), -1)
        self._held[linked] = self._pass[before]

    def _where(self, wrong: np.ndarray) -> str:
        return self._events.where(self._chosen.node[np.flatnonzero(wrong)[0]])

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        dtype, mode = divmod(group, len(ACC_MODES))
        held = self._held[items]
        if mode == READ:
            self._drive(state, items, state.sums[held])
            return
        sums = state.sums[self._pass[items]]
        if mode in (ADD, ADD_OUT):
            acc = state.sums[held]
            total = evaluate("ADD", DType.FP32, acc, sums) if dtype == FP16 else acc + sums
        else:
            total = sums
        if mode in (PASS, ADD_OUT):
            self._drive(state, items, total)
            return
        if self._masked[items].any():
            old = np.where(held[:, None] >= 0, state.sums[held], np.uint32(0))
            total = np.where(lane_mask(self._events.config, self._chosen.mask[items]), total, old)
        if mode == ADD or self._masked[items].any():
            state.sums[self._pass[items]] = total

    def _drive(self, state: State, items: np.ndarray, values: np.ndarray) -> None:
        state.rows[self._result[items][:, None] + np.arange(4)] = split(values, 4)
