"""Weights of the MXM planes: LW and IW replayed in time order."""

from dataclasses import dataclass

import numpy as np

from sw.arch.floorplan import floorplan
from sw.golden.error import GoldenError
from sw.golden.events import Events, Selection
from sw.golden.graph import Graph
from sw.golden.merge import Merges
from sw.golden.moments import Moments
from sw.golden.streams import Streams
from sw.isa.fields import MXM_TYPES
from sw.isa.rows.mxm import load_columns

_EMPTY = -1


def planes(events: Events) -> dict[str, int]:
    """Numbers of all planes of the chip."""
    found = [unit.name for unit in floorplan(events.config).units if unit.kind == "MXM"]
    return {name: i for i, name in enumerate(found)}


@dataclass
class Columns:
    """Weights by column: the rows with their low and high bytes, their type, and a mask of the superlanes
    that hold what was loaded in this iteration."""

    low: np.ndarray
    high: np.ndarray
    kind: np.ndarray
    loaded: np.ndarray

    @classmethod
    def empty(cls, vl: int, zero: int) -> "Columns":
        """Weights before the first LW; row `zero` is all zeros."""
        return cls(np.full(vl, zero), np.full(vl, zero), np.full(vl, _EMPTY), np.zeros(vl, np.int64))

    def copy(self) -> "Columns":
        """What it holds now."""
        return Columns(self.low.copy(), self.high.copy(), self.kind.copy(), self.loaded.copy())

    def put(self, at: slice, new: "Columns", merges: Merges, mask: int, full: int) -> None:
        """Takes over columns in the superlanes of `mask`."""
        self.kind[at] = new.kind
        self.loaded[at] = self.loaded[at] & ~mask | new.loaded & mask
        for mine, theirs in ((self.low, new.low), (self.high, new.high)):
            if mask == full:
                mine[at] = theirs
            else:
                mine[at] = [merges.add(int(n), int(o), mask) for n, o in zip(theirs, mine[at], strict=True)]


class Weights:
    """`installed[i]` are the weights that the i-th IW leaves in its plane, in time order over all planes."""

    def __init__(self, events: Events, graph: Graph, streams: Streams, merges: Merges):
        self._events, self._graph, self._rows, self._merges = events, graph, streams.row, merges
        self._planes = planes(events)
        loads, installs = events.select("LW"), events.select("IW")
        self.installed: list[Columns] = []
        order = np.argsort(installs.issue, kind="stable")
        self._node = installs.node[order]
        self._replay(loads, installs, order)
        force = installs.issue + installs.each(lambda e: e.timing.d_func)
        self._in_force = Moments(self._plane(installs)[order], force[order], events.horizon + 2)

    def _plane(self, chosen: Selection) -> np.ndarray:
        return chosen.each(lambda e: self._planes[e.queue.unit.name])

    def _replay(self, loads: Selection, installs: Selection, order: np.ndarray) -> None:
        vl, zero, full = self._events.config.vl, self._graph.zero, self._events.full
        operand, col, kind = loads.operand(0), loads.field("col"), loads.field("dtype")
        count = loads.each(lambda e: load_columns(e.op.values))
        load_plane, plane = self._plane(loads), self._plane(installs)
        buffers = [Columns.empty(vl, zero) for _ in self._planes]
        arrays = [Columns.empty(vl, zero) for _ in self._planes]
        # An IW also installs what the LW of its own cycle brings, so that comes first.
        steps = [(t, 0, i) for i, t in enumerate(loads.issue.tolist())]
        steps += [(int(installs.issue[i]), 1, int(i)) for i in order]
        for _, is_install, i in sorted(steps, key=lambda step: step[:2]):
            if is_install:
                here = arrays[plane[i]]
                here.put(slice(None), buffers[plane[i]], self._merges, int(installs.mask[i]), full)
                self.installed.append(here.copy())
                rows = np.concatenate((here.low, here.high))
                self._graph.need(rows, np.repeat(installs.node[i], len(rows)))
                continue
            n, wide = count[i], 1 + kind[i]
            rows = self._rows[operand[i] : operand[i] + n * wide]
            high = rows[1::2] if wide == 2 else np.full(n, zero)
            new = Columns(rows[::wide], high, np.full(n, kind[i]), np.full(n, full))
            at = slice(col[i], col[i] + n)
            buffers[load_plane[i]].put(at, new, self._merges, int(loads.mask[i]), full)

    def link(self, passes: Selection, dtype: np.ndarray) -> np.ndarray:
        """For every pass the number of the weights that it meets.

        GoldenError if a column was not loaded, or as another type than the pass.
        """
        # In force for passes issued d_func after IW or later: strictly before the next cycle.
        found = self._in_force.before(self._plane(passes), passes.issue + 1)
        if (lost := np.flatnonzero(found < 0)).size:
            where = self._events.where(passes.node[lost[0]])
            raise GoldenError(f"{where} finds no weights, no IW came before it.")
        self._graph.wait(self._node[found], passes.node)
        loaded = np.array([np.bitwise_and.reduce(c.loaded) for c in self.installed], np.int64)
        if (lost := np.flatnonzero(passes.mask & ~loaded[found])).size:
            columns = self.installed[found[lost[0]]]
            column = np.flatnonzero(passes.mask[lost[0]] & ~columns.loaded)[0]
            raise GoldenError(
                f"{self._events.where(passes.node[lost[0]])} uses column {column}, which no LW has loaded."
            )
        kinds = np.array([c.kind[0] if (c.kind == c.kind[0]).all() else -1 for c in self.installed], np.int64)
        if (wrong := np.flatnonzero(kinds[found] != dtype)).size:
            where, kind = self._events.where(passes.node[wrong[0]]), dtype[wrong[0]]
            column = np.flatnonzero(self.installed[found[wrong[0]]].kind != kind)[0]
            raise GoldenError(
                f"{where} is of {MXM_TYPES[kind]}, but column {column} was loaded as {MXM_TYPES[1 - kind]}."
            )
        return found
