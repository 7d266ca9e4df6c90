"""MXM planes, first half: weight buffers, installed weights, and the sums of every pass."""

from dataclasses import dataclass

import numpy as np

from sw.arch.floorplan import floorplan
from sw.golden.dot import fp16_dot, int8_dot
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.merge import Merges
from sw.golden.moments import Moments
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.isa.fields import MXM_TYPES
from sw.isa.table import FP16, load_columns

_EMPTY = -1


@dataclass
class Columns:
    """The weights of one buffer: per column the rows with its low and high bytes, and the type it was loaded as.
    A column that nobody has loaded in this iteration is zero."""

    low: np.ndarray
    high: np.ndarray
    kind: np.ndarray

    @classmethod
    def empty(cls, vl: int, zero: int) -> "Columns":
        """A buffer after reset; row `zero` is all zeros."""
        return cls(np.full(vl, zero), np.full(vl, zero), np.full(vl, _EMPTY))

    def put(self, at: slice, new: "Columns", merges: Merges, mask: int, full: int) -> None:
        """Takes over columns in the superlanes of `mask`."""
        self.kind[at] = new.kind
        for mine, theirs in ((self.low, new.low), (self.high, new.high)):
            if mask == full:
                mine[at] = theirs
            else:
                mine[at] = [merges.add(int(n), int(o), mask) for n, o in zip(theirs, mine[at], strict=True)]


def planes(events: Events) -> dict[str, int]:
    """Numbers of all planes of the chip."""
    found = [unit.name for unit in floorplan(events.config).units if unit.kind == "MXM"]
    return {name: i for i, name in enumerate(found)}


class Passes:
    """All ABC and ABC_HOLD of all planes. Pass number i is node `chosen.node[i]`; `arrival` is the cycle in which its
    sums stand at ACC, in row i of `State.sums`."""

    def __init__(self, events: Events, graph: Graph, streams: Streams, merges: Merges):
        self._events, self._graph, self._merges, self._rows = events, graph, merges, streams.row
        self._planes = planes(events)
        self.chosen = chosen = events.select("ABC", "ABC_HOLD")
        self.plane = chosen.each(lambda e: self._planes[e.queue.unit.name])
        self.dtype = chosen.field("dtype")
        self.arrival = chosen.issue + chosen.each(lambda e: e.timing.d_func)
        #: Weights in force, one entry for every IW.
        self._installed: list[Columns] = []
        weights = self._link_weights()
        self._check_types(weights)
        self._low, self._high = self._link_activations()
        for rows in (self._low, self._high):
            graph.need(rows, chosen.node)
        graph.register(self, chosen.node, 2 * weights + self.dtype)

    def _link_weights(self) -> np.ndarray:
        """Replays LW and IW in time order; gives every pass its number in `_installed`."""
        events, full = self._events, self._events.full
        loads, installs = events.select("LW"), events.select("IW")
        steps = [(t, 0, i) for i, t in enumerate(loads.issue.tolist())]
        steps += [(t, 1, i) for i, t in enumerate(installs.issue.tolist())]
        operand, col = loads.operand(0), loads.field("col")
        load_plane = loads.each(lambda e: self._planes[e.queue.unit.name])
        count = loads.each(lambda e: load_columns(e.op.values))
        kind = loads.field("dtype")
        plane = installs.each(lambda e: self._planes[e.queue.unit.name])
        vl = events.config.vl
        buffers = [Columns.empty(vl, self._graph.zero) for _ in self._planes]
        arrays = [Columns.empty(vl, self._graph.zero) for _ in self._planes]
        # All columns of a pass that no IW precedes are zero; then the IWs in time order.
        self._installed = [Columns.empty(vl, self._graph.zero)]
        order = []
        for _, is_install, i in sorted(steps):
            if is_install:
                p = plane[i]
                arrays[p].put(slice(None), buffers[p], self._merges, int(installs.mask[i]), full)
                state = Columns(arrays[p].low.copy(), arrays[p].high.copy(), arrays[p].kind.copy())
                self._installed.append(state)
                rows = np.concatenate((state.low, state.high))
                self._graph.need(rows, np.repeat(installs.node[i], len(rows)))
                order.append(i)
                continue
            n, wide = count[i], 1 + kind[i]
            rows = self._rows[operand[i] : operand[i] + n * wide]
            high = rows[1::2] if wide == 2 else np.full(n, self._graph.zero)
            new = Columns(rows[::wide], high, np.full(n, kind[i]))
            at = slice(col[i], col[i] + n)
            buffers[load_plane[i]].put(at, new, self._merges, int(loads.mask[i]), full)
        order = np.array(order, np.int64)
        force = (installs.issue + installs.each(lambda e: e.timing.d_func))[order]
        # In force for passes issued d_func later, so the pass one cycle after "before" counts.
        found = Moments(plane[order], force, events.horizon + 2).before(self.plane, self.chosen.issue + 1)
        real = np.flatnonzero(found >= 0)
        self._graph.wait(installs.node[order[found[real]]], self.chosen.node[real])
        return found + 1

    def _check_types(self, weights: np.ndarray) -> None:
        for number, columns in enumerate(self._installed):
            for dtype in (0, FP16):
                wrong = np.isin(columns.kind, (_EMPTY, dtype), invert=True)
                if wrong.any() and (bad := np.flatnonzero((weights == number) & (self.dtype == dtype))).size:
                    raise GoldenError(
                        f"{self._events.where(self.chosen.node[bad[0]])} is of {MXM_TYPES[dtype]}, but column "
                        f"{np.flatnonzero(wrong)[0]} was loaded as {MXM_TYPES[1 - dtype]}."
                    )

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
        number, dtype = divmod(group, 2)
        columns = self._installed[number]
        if dtype == FP16:
            a = _half(state.rows[self._low[items]], state.rows[self._high[items]])
            w = _half(state.rows[columns.low], state.rows[columns.high])
            state.sums[items] = fp16_dot(a, w.T)
        else:
            a, w = state.rows[self._low[items]], state.rows[columns.low]
            state.sums[items] = int8_dot(a.view(np.int8), w.view(np.int8).T).view(np.uint32)


def _half(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return low | high.astype(np.uint16) << 8
