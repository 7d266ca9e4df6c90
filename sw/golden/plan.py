"""The programs of chips that run together, resolved once, from timing alone, and evaluated once per iteration."""

import numpy as np

from sw.arch.config import Config
from sw.arch.system import System
from sw.asm.timeline import Timeline
from sw.golden.acc import Accumulators
from sw.golden.events import Events
from sw.golden.graph import Graph, levels
from sw.golden.icu import Fetches
from sw.golden.links import Links
from sw.golden.mem import Mem
from sw.golden.merge import Merges
from sw.golden.mxm import Passes
from sw.golden.state import Memory, State
from sw.golden.streams import Streams
from sw.golden.sxm import engines
from sw.golden.vxm import Vxm
from sw.golden.wiring import Wiring


class Plan:
    """All events of one chip's timeline, and their producers.

    GoldenError if the program reads a stream, a chain result or a pass that is not there.
    """

    def __init__(self, config: Config, timeline: Timeline):
        self.events = Events(config, timeline.bursts)
        self.graph = graph = Graph(self.events)
        merges = Merges(config, graph)
        self.streams = Streams(self.events, graph, merges)
        self.mem = Mem(self.events, graph, self.streams, merges)
        vxm = Vxm(self.events, graph, self.streams)
        passes = Passes(self.events, graph, self.streams, merges)
        Accumulators(self.events, graph, passes)
        engines(self.events, graph, self.streams, merges)
        self.links = Links(self.events, graph, self.streams, merges)
        self._fetches = Fetches(self.events, graph, self.streams, timeline.image.boot)
        merges.finish()
        self._chained, self._passes = vxm.chained, len(passes.chosen)

    def state(self, memory: Memory, origin: int) -> State:
        """What there is before an iteration whose cycle 0 is `origin`."""
        vl = self.events.config.vl
        state = State(
            memory,
            np.empty((self.graph.rows, vl), np.uint8),
            np.empty((self._chained, vl), np.uint32),
            np.empty((self._passes, vl), np.uint32),
            origin,
        )
        state.rows[self.graph.zero] = 0
        self.mem.check(state)
        return state

    def finish(self, state: State) -> None:
        """Leaves memory as the program does; after a fault it is not a result."""
        self._fetches.check(state)
        self.mem.commit(state)


class Plans:
    """The plans of all chips of a system, and the batches in which their nodes are evaluated.

    GoldenError if something is received that was not sent so that it comes then.
    """

    def __init__(self, system: System, timelines: list[Timeline]):
        self.chips = [Plan(system.config, one) for one in timelines]
        self.wiring = Wiring(system, [plan.links for plan in self.chips])
        level = levels([plan.graph for plan in self.chips], self.wiring.edges)
        self._batches = [
            (depth, chip, *work)
            for chip, plan in enumerate(self.chips)
            for depth, *work in plan.graph.batches(level[chip])
        ]
        self._batches.sort(key=lambda batch: batch[:2])

    def evaluate(self, memories: list[Memory], origins: list[int]) -> list[State]:
        """One iteration of all chips, whose cycles 0 are `origins`; memory is left as the programs leave it.

        The states tell what stood on the streams, and the faults.
        """
        states = [plan.state(*given) for plan, *given in zip(self.chips, memories, origins, strict=True)]
        for state in states:
            state.peers = states
        for _, chip, worker, group, items in self._batches:
            worker.evaluate(states[chip], group, items)
        for plan, state in zip(self.chips, states, strict=True):
            plan.finish(state)
        return states
