"""GATHER and SCATTER: addresses that depend on data, and so words whose accesses must keep their order.

Regions that share words make one zone. In a zone all accesses work on the memory itself, in runs: reads
together, writes of different words together, every SCATTER by itself; each run after the one before.
"""

import numpy as np

from sw.arch.hostmap import Fault as FaultCode
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.merge import lane_mask
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.machine import Fault

READ, WRITE, GATHER, SCATTER = range(4)
#: The offset with which GATHER reads zero and SCATTER writes nothing.
NOWHERE = 0xFFFF


class Regions:
    """The words that any GATHER or SCATTER may touch, and all accesses to them."""

    def __init__(self, events: Events, graph: Graph, streams: Streams, reads, writes, gathers, scatters):
        self._events = events
        indirect = (gathers, scatters)
        self._begin, self._end = _zones(
            np.concatenate([a.word for a in indirect]),
            np.concatenate([a.word + a.chosen.field("rows") for a in indirect]),
        )
        kinds = (reads, writes, gathers, scatters)
        picked = [np.flatnonzero(self.holds(a.word)) for a in kinds]

        def gathered(of):
            return np.concatenate([of(a, i) for a, i in zip(kinds, picked, strict=True)])

        def operand(a, i, j):
            return streams.row[a.chosen.operand(j)[i]]

        none = [np.full(len(i), -1) for i in picked]
        self._kind = np.repeat(range(4), [len(i) for i in picked])
        self._node = gathered(lambda a, i: a.chosen.node[i])
        self._word = gathered(lambda a, i: a.word[i])
        self._size = gathered(lambda a, i: a.chosen.field("rows")[i])
        self._cycle = gathered(lambda a, i: a.cycle[i])
        self._mask = gathered(lambda a, i: a.mask[i])
        r, w, g, s = picked
        driven = reads.chosen.result(0)[r], gathers.chosen.result(0)[g]
        #: Row that is driven, or stored.
        self._data = np.concatenate((driven[0], operand(writes, w, 0), driven[1], operand(scatters, s, 0)))
        self._low = np.concatenate((none[0], none[1], operand(gathers, g, 0), operand(scatters, s, 1)))
        self._high = np.concatenate((none[0], none[1], operand(gathers, g, 1), operand(scatters, s, 2)))
        graph.register(self, self._node, self._kind)
        self._chain(graph)

    def holds(self, word: np.ndarray) -> np.ndarray:
        """Which of these words lie in a zone."""
        if not len(self._begin):
            return np.zeros(len(word), bool)
        at = np.searchsorted(self._begin, word, "right") - 1
        return (at >= 0) & (word < self._end[at])

    def _chain(self, graph: Graph) -> None:
        """Orders the accesses of every zone."""
        zone = np.searchsorted(self._begin, self._word, "right") - 1
        run: list[int] = []
        barrier, state, words = None, None, set()
        for at in np.lexsort((self._cycle, zone)):
            kind, word = self._kind[at], self._word[at]
            now = (zone[at], kind == SCATTER, kind in (WRITE, SCATTER))
            if now != state or kind == SCATTER or (kind == WRITE and word in words):
                barrier = self._close(graph, run, state is not None and state[0] == now[0])
                run, words, state = [], set(), now
            if barrier is not None:
                graph.wait(barrier, self._node[at : at + 1])
            run.append(self._node[at])
            words.add(word)

    def _close(self, graph: Graph, run: list[int], same_zone: bool) -> np.ndarray | None:
        if not same_zone:
            return None
        barrier = graph.add_nodes(1)
        graph.wait(np.array(run), np.repeat(barrier, len(run)))
        return barrier

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        memory, config = state.memory, self._events.config
        mask = self._mask[items]
        if group == READ:
            self._check(memory.written[self._word[items]] | ~mask.astype(np.uint32), memory.full, items)
            state.rows[self._data[items]] = memory.data[self._word[items]]
            return
        if group == WRITE:
            words = self._word[items]
            new = state.rows[self._data[items]]
            memory.data[words] = np.where(lane_mask(config, mask), new, memory.data[words])
            memory.written[words] |= mask.astype(np.uint32)
            return
        maps = (state.rows[rows[items]] for rows in (self._low, self._high))
        low, high = (rows[:, :: config.lanes].astype(np.int64) for rows in maps)
        offset = low | high << 8
        powered = lane_mask(config, mask)[:, :: config.lanes]
        wrong = powered & (offset != NOWHERE) & (offset >= self._size[items][:, None])
        hit = powered & (offset != NOWHERE) & ~wrong
        self._fault(state, items, wrong)
        item, superlane = np.nonzero(hit)
        word = self._word[items[item]] + offset[item, superlane]
        bit = np.uint32(1) << superlane.astype(np.uint32)
        if group == GATHER:
            self._check(memory.written[word] | ~bit, np.uint32(0xFFFFFFFF), items[item])
            out = np.zeros((len(items), config.superlanes, config.lanes), np.uint8)
            out[item, superlane] = memory.tiles[word, superlane]
            state.rows[self._data[items]] = out.reshape(len(items), -1)
            return
        lanes = state.rows[self._data[items]].reshape(len(items), config.superlanes, -1)[item, superlane]
        memory.tiles[word, superlane] = lanes
        np.bitwise_or.at(memory.written, word, bit)
        words = config.mem.words
        cycle = state.origin + self._cycle[items[item]]
        state.scattered.append((cycle, word // words, word % words, superlane, lanes))

    def _check(self, good: np.ndarray, full: np.uint32, items: np.ndarray) -> None:
        bad = np.flatnonzero((good & full) != full)
        if bad.size:
            where = self._events.where(self._node[items[bad[0]]])
            raise GoldenError(f"{where} reads a word that nobody has written.")

    def _fault(self, state: State, items: np.ndarray, wrong: np.ndarray) -> None:
        for i in np.flatnonzero(wrong.any(axis=1)):
            node = self._node[items[i]]
            queue = self._events.entries[self._events.entry[node]].queue
            cycle = state.origin + int(self._cycle[items[i]])
            found = Fault(FaultCode.GATHER_RANGE.name, queue.unit.name, queue.name, cycle)
            # Superlane r acts r cycles after superlane 0.
            state.faults.append((cycle + int(np.argmax(wrong[i])), queue.index, found))


def _zones(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unions of intervals that share words, in order."""
    order = np.argsort(begin, kind="stable")
    begins: list[int] = []
    ends: list[int] = []
    for low, high in np.unique(np.stack((begin[order], end[order]), axis=1), axis=0):
        if ends and low < ends[-1]:
            ends[-1] = max(ends[-1], int(high))
        else:
            begins.append(int(low))
            ends.append(int(high))
    return np.array(begins, np.int64), np.array(ends, np.int64)
