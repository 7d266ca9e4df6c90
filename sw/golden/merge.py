"""Rows made of two rows, superlane by superlane: what a superlane power mask leaves of the value before."""

import numpy as np

from sw.arch.config import Config
from sw.golden.graph import Graph
from sw.golden.state import State


def lane_mask(config: Config, masks: np.ndarray) -> np.ndarray:
    """Superlane masks [n] as a choice for every lane, bool [n, VL]."""
    bits = np.asarray(masks, np.int64)[:, None] >> np.arange(config.superlanes) & 1
    return np.repeat(bits.astype(bool), config.lanes, axis=1)


class Merges:
    """Collects merged rows; masks are rare, so this works one row at a time."""

    def __init__(self, config: Config, graph: Graph):
        self._config, self._graph = config, graph
        self._parts: list[tuple[int, int, int, int]] = []
        self._nodes: list[int] = []

    def add(self, new: int, old: int, mask: int) -> int:
        """The row with the superlanes of `mask` from row `new`, the others from `old` (zeros if below 0)."""
        old = self._graph.zero if old < 0 else old
        if mask == (1 << self._config.superlanes) - 1 or new == old:
            return new
        node = self._graph.add_nodes(1)
        row = int(self._graph.add_rows(node)[0])
        self._graph.need(np.array([new, old]), np.repeat(node, 2))
        self._parts.append((row, new, old, mask))
        self._nodes.append(int(node[0]))
        return row

    def finish(self) -> None:
        """Registers the work; nothing may be added afterwards."""
        self._table = np.array(self._parts, np.int64).reshape(-1, 4)
        self._graph.register(self, np.array(self._nodes, np.int64), np.zeros(len(self._nodes)))

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        row, new, old, mask = self._table[items].T
        state.rows[row] = np.where(lane_mask(self._config, mask), state.rows[new], state.rows[old])
