"""MEM slices: READ and WRITE, resolved from timing. GATHER and SCATTER are in `sw.golden.region`."""

import numpy as np

from sw.arch.floorplan import floorplan
from sw.golden.error import GoldenError
from sw.golden.events import Events, Selection
from sw.golden.graph import Graph
from sw.golden.merge import Merges
from sw.golden.region import Regions
from sw.golden.state import State
from sw.golden.streams import Streams

#: Groups of work: row <- memory as the iteration found it, row <- row that a WRITE stored.
LOAD, COPY = range(2)


class Accesses:
    """The READs or the WRITEs of a program; `word` numbers all words of all slices."""

    def __init__(self, chosen: Selection, slices: dict[str, int]):
        self.chosen = chosen
        words = chosen.events.config.mem.words
        addr = chosen.field("addr")
        outside = np.flatnonzero((addr < 0) | (addr >= words))
        if outside.size:
            raise GoldenError(
                f"{chosen.events.where(chosen.node[outside[0]])} accesses word {addr[outside[0]]}, "
                f"the last word is {words - 1}."
            )
        self.word = chosen.each(lambda e: slices[e.queue.unit.name]) * words + addr
        self.cycle = chosen.issue + chosen.each(lambda e: e.timing.access)
        self.mask = chosen.mask


class Mem:
    """Memory words as values: a READ takes what the last WRITE before it stored, or what the iteration found.

    Words of regions are left to `regions`.
    """

    def __init__(self, events: Events, graph: Graph, streams: Streams, merges: Merges):
        self._events, self._graph, self._merges = events, graph, merges
        slices = {unit.name: i for i, unit in enumerate(floorplan(events.config).slices)}
        reads, writes = (Accesses(events.select(name), slices) for name in ("READ", "WRITE"))
        gathers, scatters = (Accesses(events.select(name), slices) for name in ("GATHER", "SCATTER"))
        self.regions = Regions(events, graph, streams, reads, writes, gathers, scatters)
        self._loads: list[tuple[np.ndarray, np.ndarray]] = []
        self._load_nodes: list[np.ndarray] = []
        self._link_writes(writes, streams.row[writes.chosen.operand(0)])
        self._link_reads(reads)

    def _link_writes(self, writes: Accesses, rows: np.ndarray) -> None:
        """Sorts the WRITEs by word and time and gives each the row that stands in memory after it."""
        plain = np.flatnonzero(~self.regions.holds(writes.word))
        order = plain[np.lexsort((writes.cycle[plain], writes.word[plain]))]
        self._word, self._cycle = writes.word[order], writes.cycle[order]
        self._row = rows[order].copy()
        #: Superlanes that have been written in this iteration.
        self._written = np.full(len(order), self._events.full)
        mask = writes.mask[order]
        masked = np.unique(self._word[mask != self._events.full])
        for at in np.flatnonzero(np.isin(self._word, masked)):
            again = at > 0 and self._word[at - 1] == self._word[at]
            before = int(self._row[at - 1]) if again else self._load(self._word[at])
            self._row[at] = self._merges.add(int(self._row[at]), before, int(mask[at]))
            self._written[at] = mask[at] | (self._written[at - 1] if again else 0)
        last = np.append(self._word[1:] != self._word[:-1], True) if len(order) else np.zeros(0, bool)
        self._final = self._word[last], self._row[last], self._written[last].astype(np.uint32)
        self.writes = writes, rows

    def _load(self, word: int) -> int:
        """A row with what the iteration found in a word."""
        node = self._graph.add_nodes(1)
        row = self._graph.add_rows(node)
        self._loads.append((row, np.array([word])))
        self._load_nodes.append(node)
        return int(row[0])

    def _link_reads(self, reads: Accesses) -> None:
        chosen = reads.chosen
        row = chosen.result(0)
        plain = ~self.regions.holds(reads.word)
        span = self._events.horizon
        keys = self._word * span + self._cycle
        at = np.searchsorted(keys, reads.word * span + reads.cycle) - 1
        again = plain & (at >= 0)
        again[again] = self._word[at[again]] == reads.word[again]
        first = plain & ~again
        self._loads.append((row[first], reads.word[first]))
        self._load_nodes.append(chosen.node[first])
        source = self._row[at[again]]
        self._graph.need(source, chosen.node[again])
        loads = [np.concatenate(part) for part in zip(*self._loads, strict=True)]
        self._target = np.concatenate((loads[0], row[again]))
        self._source = np.concatenate((loads[1], source))
        nodes = np.concatenate((*self._load_nodes, chosen.node[again]))
        self._graph.register(self, nodes, np.repeat((LOAD, COPY), (len(loads[0]), len(source))))
        need = reads.mask.copy()
        need[again] &= ~self._written[at[again]]
        self._checked = np.flatnonzero(plain & (need != 0))
        self._needs = reads.word[self._checked], need[self._checked].astype(np.uint32)
        self._reads = reads

    def check(self, state: State) -> None:
        """GoldenError if a READ meets a word that nobody initialised."""
        words, need = self._needs
        bad = np.flatnonzero(need & ~state.memory.written[words])
        if bad.size:
            chosen = self._reads.chosen
            node = chosen.node[self._checked[bad[np.argmin(chosen.issue[self._checked[bad]])]]]
            raise GoldenError(f"{self._events.where(node)} reads a word that nobody has written.")

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        values = state.memory.data if group == LOAD else state.rows
        state.rows[self._target[items]] = values[self._source[items]]

    def commit(self, state: State) -> None:
        """Puts into memory what the iteration leaves in words outside of regions."""
        words, rows, written = self._final
        state.memory.data[words] = state.rows[rows]
        state.memory.written[words] |= written
