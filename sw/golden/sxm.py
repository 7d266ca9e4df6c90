"""Switch units: the engines, their operands and their maps."""

from collections.abc import Callable

import numpy as np

from sw.arch.dtype import DType
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.lanes import join, split
from sw.golden.merge import Merges
from sw.golden.moments import Moments
from sw.golden.moves import distribute, permute, reduce, rotate, shift, transpose
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.isa.fields import REDUCE_OPS, REDUCE_TYPES, SHIFT_MODES

SELECT = SHIFT_MODES.index("SELECT")
#: Instruction -> the instruction that loads its map, and the streams of that map.
MAPS = {"SHIFT": ("SELECT_MAP", 1), "PERMUTE": ("MAP", 2)}
#: Instructions whose results depend on other superlanes; what an unpowered superlane puts in is zero.
CROSSING = ("SHIFT", "PERMUTE", "REDUCE")


class Engine:
    """All nodes of one switch instruction: operands and the map of that moment in, results out."""

    def __init__(self, name: str, meaning: Callable, events: Events, graph: Graph, streams: Streams, merges):
        self.config = events.config
        self.chosen = chosen = events.select(name)
        self._events, self._graph, self._streams, self._merges = events, graph, streams, merges
        self._meaning = meaning
        values = [(len(e.codes), e.op.values) for e in chosen.entries]
        static = [(width, v.get("fn", 0), v.get("dtype", 0)) for width, v in values]
        #: (operands, fn, dtype) of every group.
        self.groups = list(dict.fromkeys(static))
        position = iter(static)
        group = chosen.each(lambda e: self.groups.index(next(position)))
        self.mode, self.count = chosen.field("mode"), chosen.field("n")
        self._operand, self._result = chosen.operand(0), chosen.result(0)
        self._rows = streams.row
        self._replaced = self._mask() if name in CROSSING else {}
        self._maps = np.empty((len(chosen), 0), np.int64)
        if name in MAPS:
            self._maps = self._link_maps(*MAPS[name])
        graph.register(self, chosen.node, group)

    def _mask(self) -> dict[int, np.ndarray]:
        """For every node under a power mask its operands with zeros in unpowered superlanes."""
        found = {}
        for i in np.flatnonzero(self.chosen.mask != self._events.full):
            entry = self._events.entries[self.chosen.entry[i]]
            rows = self._operand_rows(np.array([i]), len(entry.codes))[0]
            mask = int(self.chosen.mask[i])
            masked = [self._merges.add(int(row), self._graph.zero, mask) for row in rows]
            found[int(i)] = np.array(masked)
            self._graph.need(found[int(i)], np.repeat(self.chosen.node[i], len(rows)))
        return found

    def _operand_rows(self, items: np.ndarray, width: int) -> np.ndarray:
        return self._rows[self._operand[items][:, None] + np.arange(width)]

    def _link_maps(self, loader: str, width: int) -> np.ndarray:
        """Rows [n, width] of the map that each node uses."""
        chosen, loads = self.chosen, self._events.select(loader)
        rows = self._rows[loads.operand(0)[:, None] + np.arange(width)]
        queue = loads.each(lambda e: e.queue.index)
        if (loads.mask != self._events.full).any():
            held: dict[tuple[int, int], int] = {}
            for i in np.lexsort((loads.issue, queue)):
                for j in range(width):
                    key = int(queue[i]), j
                    rows[i, j] = self._merges.add(int(rows[i, j]), held.get(key, -1), int(loads.mask[i]))
                    held[key] = rows[i, j]
        moments = Moments(queue, loads.issue, self._events.horizon)
        found = moments.before(chosen.each(lambda e: e.queue.index), chosen.issue)
        needs = self.mode == SELECT if loader == "SELECT_MAP" else np.ones(len(chosen), bool)
        if (lost := np.flatnonzero(needs & (found < 0))).size:
            where = self._events.where(chosen.node[lost[0]])
            raise GoldenError(f"{where} has no map, no {loader} came before it.")
        maps = np.full((len(chosen), width), self._graph.zero)
        maps[needs] = rows[found[needs]]
        for j in range(width):
            self._graph.need(maps[:, j], chosen.node)
        return maps

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        rows = self._operand_rows(items, self.groups[group][0])
        for i, item in enumerate(items.tolist() if self._replaced else ()):
            if item in self._replaced:
                rows[i] = self._replaced[item]
        rows = np.concatenate((rows, self._maps[items]), axis=1)
        out = self._meaning(self, group, items, state.rows[rows])
        state.rows[self._result[items][:, None] + np.arange(out.shape[1])] = out


def _shift(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    mode = engine.mode[items]
    direction = np.where((mode == SELECT)[:, None], given[:, 1], (mode + 1)[:, None])
    return shift(given[:, 0], engine.count[items], direction)[:, None]


def _permute(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    return permute(given[:, 0], given[:, 1], given[:, 2])[:, None]


def _distribute(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    return distribute(given[:, 0], given[:, 1], engine.config.lanes)[:, None]


def _rotate(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    return rotate(given, engine.config.lanes)


def _transpose(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    return transpose(given, engine.config.lanes)


def _reduce(engine: Engine, group: int, items: np.ndarray, given: np.ndarray) -> np.ndarray:
    _, fn, dtype = engine.groups[group]
    result = reduce(join(given), REDUCE_OPS[fn], DType.parse(REDUCE_TYPES[dtype]), engine.config.lanes)
    return split(np.repeat(result[:, None], given.shape[2], axis=1), 4)


MEANINGS = {
    "SHIFT": _shift,
    "PERMUTE": _permute,
    "DISTRIBUTE": _distribute,
    "ROTATE": _rotate,
    "TRANSPOSE": _transpose,
    "REDUCE": _reduce,
}


def engines(events: Events, graph: Graph, streams: Streams, merges: Merges) -> list[Engine]:
    """All switch instructions of a program, linked."""
    return [Engine(name, meaning, events, graph, streams, merges) for name, meaning in MEANINGS.items()]
