"""Who waits for whom: nodes (work), rows (vectors that stand on streams) and the order of evaluation."""

from itertools import pairwise
from typing import Protocol

import numpy as np

from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.state import State

#: Most nodes evaluated at once, which bounds the memory of temporaries.
BATCH = 4096


class Worker(Protocol):
    """Something that gives nodes their meaning."""

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        """Computes the given nodes, by the numbers under which they were registered, all of one group."""


class Graph:
    """Grows while the units link their nodes, and then gives the batches in which to evaluate them.

    Rows 0 … number of drives - 1 are those of the drives; row `zero` is all zeros.
    """

    def __init__(self, events: Events):
        self._events = events
        self.nodes = len(events)
        self.zero = len(events.drives.node)
        self.rows = self.zero + 1
        self._owner = [events.drives.node, np.array([-1])]
        self._edges: list[tuple[np.ndarray, np.ndarray]] = []
        self._needs: list[tuple[np.ndarray, np.ndarray]] = []
        self._work: list[tuple[Worker, np.ndarray, np.ndarray]] = []

    def add_nodes(self, count: int) -> np.ndarray:
        """New nodes beside those of the events."""
        self.nodes += count
        return np.arange(self.nodes - count, self.nodes)

    def add_rows(self, nodes: np.ndarray) -> np.ndarray:
        """New rows, one computed by each node."""
        self._owner.append(nodes)
        self.rows += len(nodes)
        return np.arange(self.rows - len(nodes), self.rows)

    def wait(self, before: np.ndarray, after: np.ndarray) -> None:
        """Each node of `after` is evaluated after its partner in `before`."""
        self._edges.append((np.asarray(before, np.int64), np.asarray(after, np.int64)))

    def need(self, rows: np.ndarray, nodes: np.ndarray) -> None:
        """Each node is evaluated after the row beside it stands; a row below 0 is none."""
        self._needs.append((np.asarray(rows, np.int64), np.asarray(nodes, np.int64)))

    def register(self, worker: Worker, nodes: np.ndarray, groups: np.ndarray) -> None:
        """`worker` evaluates these nodes, as items 0, 1, … in this order, each in batches of its group."""
        self._work.append((worker, np.asarray(nodes, np.int64), np.asarray(groups, np.int64)))

    def batches(self, level: np.ndarray) -> list[tuple[int, Worker, int, np.ndarray]]:
        """(level, worker, group, items) by the levels of the nodes, as `levels` gives them; items ascend."""
        worker = np.concatenate([np.full(len(nodes), w) for w, (_, nodes, _) in enumerate(self._work)])
        item = np.concatenate([np.arange(len(nodes)) for _, nodes, _ in self._work])
        group = np.concatenate([groups for _, _, groups in self._work])
        at = level[np.concatenate([nodes for _, nodes, _ in self._work])]
        order = np.lexsort((item, group, worker, at))
        keys = np.stack((at, worker, group))[:, order]
        cuts = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
        bounds = [0, *cuts.tolist(), len(order)] if len(order) else []
        found = []
        for low, high in zip(bounds[:-1], bounds[1:], strict=True):
            depth, w, g = keys[:, low].tolist()
            for begin in range(low, high, BATCH):
                found.append((depth, self._work[w][0], g, item[order[begin : min(high, begin + BATCH)]]))
        return found

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Which node is evaluated before which."""
        owner = np.concatenate(self._owner)
        for rows, nodes in self._needs:
            real = rows >= 0
            before = owner[rows[real]]
            self._edges.append((before[before >= 0], nodes[real][before >= 0]))
        return joined([e[0] for e in self._edges]), joined([e[1] for e in self._edges])

    def where(self, nodes: np.ndarray) -> str:
        """The first of these nodes that is an instruction, in words."""
        return self._events.where(nodes[nodes < len(self._events)][0])


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Arrays of numbers end to end."""
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def levels(graphs: list[Graph], across: list[tuple[int, int, int, int]]) -> list[np.ndarray]:
    """For every node of every graph the length of the longest way to it.

    `across` lists edges between graphs: (graph, node) before (graph, node). GoldenError if something waits for itself.
    """
    first = np.cumsum([0] + [graph.nodes for graph in graphs])
    edges = [graph.edges() for graph in graphs]
    table = np.array(across, np.int64).reshape(-1, 4)
    before = joined([one[0] + at for one, at in zip(edges, first, strict=False)] + [first[table[:, 0]] + table[:, 1]])
    after = joined([one[1] + at for one, at in zip(edges, first, strict=False)] + [first[table[:, 2]] + table[:, 3]])
    level, waiting = _longest(int(first[-1]), before, after)
    for g, graph in enumerate(graphs):
        stuck = np.flatnonzero(waiting[first[g] : first[g + 1]])
        if stuck.size:
            raise GoldenError(f"{graph.where(stuck)} waits for its own result.")
    return [level[a:b] for a, b in pairwise(first.tolist())]


def _longest(nodes: int, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every node the length of the longest way to it, and how many of its edges come from a ring."""
    after = after[np.argsort(before, kind="stable")]
    ends = np.cumsum(np.bincount(before, minlength=nodes))
    begins = np.concatenate(([0], ends[:-1]))
    waiting = np.bincount(after, minlength=nodes)
    level = np.zeros(nodes, np.int64)
    ready = np.flatnonzero(waiting == 0)
    depth = 0
    while ready.size:
        level[ready] = depth
        depth += 1
        counts = ends[ready] - begins[ready]
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        targets = after[np.repeat(begins[ready], counts) + steps]
        np.subtract.at(waiting, targets, 1)
        ready = np.unique(targets[waiting[targets] == 0])
    return level, waiting
