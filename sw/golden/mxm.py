"""MXM planes: the sums of every pass. Weights are in `sw.golden.weights`, ACC is in `sw.golden.acc`."""

import numpy as np

from sw.golden.dot import fp16_dot, int8_dot
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.merge import Merges
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.golden.weights import Weights, planes
from sw.isa.rows.mxm import FP16


class Passes:
    """All ABC and ABC_HOLD of all planes. Pass number i is node `chosen.node[i]`; `arrival` is the cycle in
    which its sums stand at ACC, in row i of `State.sums`."""

    def __init__(self, events: Events, graph: Graph, streams: Streams, merges: Merges):
        self._events, self._graph, self._merges, self._rows = events, graph, merges, streams.row
        number = planes(events)
        self.chosen = chosen = events.select("ABC", "ABC_HOLD")
        self.plane = chosen.each(lambda e: number[e.queue.unit.name])
        self.dtype = chosen.field("dtype")
        self.arrival = chosen.issue + chosen.each(lambda e: e.timing.d_func)
        weights = Weights(events, graph, streams, merges)
        group = 2 * weights.link(chosen, self.dtype) + self.dtype << events.config.superlanes | chosen.mask
        self._installed = weights.installed
        self._low, self._high = self._link_activations()
        for rows in (self._low, self._high):
            graph.need(rows, chosen.node)
        graph.register(self, chosen.node, group)

    def _link_activations(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows with low and high bytes that every pass multiplies."""
        chosen, zero, full = self.chosen, self._graph.zero, self._events.full
        fresh = chosen.each(lambda e: e.op.instr.name == "ABC").astype(bool)
        low, high = np.full(len(chosen), zero), np.full(len(chosen), zero)
        wide = fresh & (self.dtype == FP16)
        low[fresh] = self._rows[chosen.operand(0)[fresh]]
        high[wide] = self._rows[chosen.operand(1)[wide]]
        order = np.lexsort((chosen.issue, self.plane))
        source = np.maximum.accumulate(np.where(fresh[order], np.arange(len(order)), -1))
        lost = (source < 0) | (self.plane[order[source]] != self.plane[order]) if len(order) else source < 0
        if lost.any():
            raise GoldenError(f"{self._events.where(chosen.node[order[lost][0]])} follows no ABC.")
        changed = self.dtype[order[source]] != self.dtype[order]
        if changed.any():
            where = self._events.where(chosen.node[order[changed][0]])
            raise GoldenError(f"{where} is of another type than the ABC whose activations it holds.")
        low[order], high[order] = low[order[source]], high[order[source]]
        if (chosen.mask != full).any():
            self._mask_activations(order, fresh, low, high)
        return low, high

    def _mask_activations(self, order, fresh, low, high) -> None:
        """An unpowered superlane keeps its activations of before, and contributes zeros."""
        held = {}
        for i in order:
            mask = int(self.chosen.mask[i])
            for which, rows in enumerate((low, high)):
                key = self.plane[i], which
                if fresh[i]:
                    held[key] = self._merges.add(int(rows[i]), held.get(key, -1), mask)
                rows[i] = self._merges.add(held[key], self._graph.zero, mask)

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        number, dtype = divmod(group >> self._events.config.superlanes, 2)
        columns = self._installed[number]
        if dtype == FP16:
            a = _half(state.rows[self._low[items]], state.rows[self._high[items]])
            # An infinite weight of an unpowered superlane must not meet the zero of its activation.
            w = np.where(self._powered(group), _half(state.rows[columns.low], state.rows[columns.high]), 0)
            state.sums[items] = fp16_dot(a, w.T)
        else:
            a, w = state.rows[self._low[items]], state.rows[columns.low]
            state.sums[items] = int8_dot(a.view(np.int8), w.view(np.int8).T).view(np.uint32)

    def _powered(self, group: int) -> np.ndarray:
        """Lanes whose superlanes take part in the passes of a group."""
        c = self._events.config
        return group >> np.arange(c.superlanes).repeat(c.lanes) & 1 != 0


def _half(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return low | high.astype(np.uint16) << 8
