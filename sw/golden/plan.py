"""A program resolved once, from timing alone, and evaluated once per iteration."""

import numpy as np

from sw.arch.config import Config
from sw.asm.timeline import Timeline
from sw.golden.acc import Accumulators
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.icu import Fetches
from sw.golden.mem import Mem
from sw.golden.merge import Merges
from sw.golden.mxm import Passes
from sw.golden.state import Memory, State
from sw.golden.streams import Streams
from sw.golden.sxm import engines
from sw.golden.vxm import Vxm


class Plan:
    """All events of a timeline, their producers, and the batches in which they are evaluated.

    GoldenError if the program reads a stream, a chain result or a pass that is not there.
    """

    def __init__(self, config: Config, timeline: Timeline):
        self.events = Events(config, timeline.bursts)
        graph = Graph(self.events)
        merges = Merges(config, graph)
        self.streams = Streams(self.events, graph, merges)
        self.mem = Mem(self.events, graph, self.streams, merges)
        vxm = Vxm(self.events, graph, self.streams)
        passes = Passes(self.events, graph, self.streams, merges)
        Accumulators(self.events, graph, passes)
        engines(self.events, graph, self.streams, merges)
        self._fetches = Fetches(self.events, graph, self.streams, timeline.image.boot)
        merges.finish()
        self._chained, self._passes = vxm.chained, len(passes.chosen)
        self._rows = graph.rows
        self._batches = graph.batches()

    def evaluate(self, memory: Memory, origin: int) -> State:
        """One iteration, whose cycle 0 is `origin`; memory is left as the program leaves it.

        The state tells what stood on the streams, and the faults; after a fault memory is not a result.
        """
        vl = self.events.config.vl
        state = State(
            memory,
            np.empty((self._rows, vl), np.uint8),
            np.empty((self._chained, vl), np.uint32),
            np.empty((self._passes, vl), np.uint32),
            origin,
        )
        state.rows[len(self.events.drives.node)] = 0
        self.mem.check(state)
        for worker, group, items in self._batches:
            worker.evaluate(state, group, items)
        self._fetches.check(state)
        self.mem.commit(state)
        return state
