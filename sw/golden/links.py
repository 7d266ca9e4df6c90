"""Link ports of one chip: what leaves them, and what comes in by them."""

from dataclasses import dataclass

import numpy as np

from sw.golden.events import Events, Selection
from sw.golden.graph import Graph
from sw.golden.merge import Merges
from sw.golden.state import State
from sw.golden.streams import Streams


@dataclass(frozen=True)
class Sent:
    """What a transmit half begins to send in a cycle: a frame with the row of its vector, or a frame that comes in by
    port `forward`, or (with neither) the mark."""

    node: int
    row: int = -1
    number: int = 0
    forward: int | None = None

    @property
    def mark(self) -> bool:
        """Whether it is the mark."""
        return self.row < 0 and self.forward is None


class Links:
    """The ports. By (port, cycle of issue): `sent` tells what leaves, `aligned` which ALIGN is there, `taken` which
    RECEIVE, `deskews` which DESKEW, as numbers among those of their kind.
    """

    def __init__(self, events: Events, graph: Graph, streams: Streams, merges: Merges):
        self._events, self._links = events, events.config.c2c.links
        self.sent: dict[tuple[int, int], Sent] = {}
        sends = events.select("SEND")
        rows = streams.row[sends.operand(0)]
        for i in np.flatnonzero(sends.mask != events.full):
            # What an unpowered superlane sends is zero.
            rows[i] = merges.add(int(rows[i]), graph.zero, int(sends.mask[i]))
        graph.need(rows, sends.node)
        numbers = sends.field("number")
        for node, row, number in zip(sends.node.tolist(), rows.tolist(), numbers.tolist(), strict=True):
            self._leave(node, Sent(node, row, number))
        forwards = events.select("FORWARD")
        for node, link in zip(forwards.node.tolist(), forwards.field("link").tolist(), strict=True):
            self._leave(node, Sent(node, forward=self._port(node) // self._links * self._links + link))
        for node in events.select("TRANSMIT").node.tolist():
            self._leave(node, Sent(node))
        self.aligned = self._moments(aligns := events.select("ALIGN"))
        self.align_nodes = aligns.node
        self.deskews = self._moments(deskews := events.select("DESKEW"))
        self.deskew_nodes, self.waits = deskews.node, deskews.field("wait")
        #: For every DESKEW how long queues take to go on, and the cycle in which they do.
        self.trips = deskews.each(lambda e: e.timing.d_func)
        self.released = deskews.issue + self.trips
        receives = events.select("RECEIVE")
        self.taken = self._moments(receives)
        self.receive_nodes, self.numbers = receives.node, receives.field("number")
        self._results = receives.result(0)
        #: For every RECEIVE the chip and the row that its vector comes from.
        self.sources = np.zeros((len(receives), 2), np.int64)
        graph.register(self, receives.node, np.zeros(len(receives)))

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        for result, (chip, row) in zip(self._results[items], self.sources[items], strict=True):
            state.rows[result] = state.peers[chip].rows[row]

    def where(self, node: int) -> str:
        """A node in words, for errors."""
        return self._events.where(node)

    def _port(self, node: int) -> int:
        """The port of the queue of a node."""
        queue = self._events.entries[self._events.entry[node]].queue
        return queue.unit.hemisphere * self._links + queue.number

    def _leave(self, node: int, sent: Sent) -> None:
        self.sent[self._port(node), int(self._events.issue[node])] = sent

    def _moments(self, chosen: Selection) -> dict[tuple[int, int], int]:
        """(port, cycle of issue) -> number among the chosen."""
        found = zip(chosen.node.tolist(), chosen.issue.tolist(), strict=True)
        return {(self._port(node), cycle): i for i, (node, cycle) in enumerate(found)}
