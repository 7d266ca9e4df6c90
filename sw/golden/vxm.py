"""The vector unit: operands from streams, from chain neighbours or immediate, and the lane operations."""

from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType
from sw.golden.error import GoldenError
from sw.golden.events import Entry, Events
from sw.golden.graph import Graph
from sw.golden.lanes import join, split
from sw.golden.moments import Moments
from sw.golden.scalar import evaluate
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.isa.fields import SOURCES
from sw.isa.rows.vxm import IMM, NEXT, PREV, STREAM


@dataclass(frozen=True)
class Kind:
    """What the nodes of one group have in common. The sources are those of operands a, b and of the mask of
    SELECT, None where the operation has no such operand."""

    name: str
    dtype: DType
    to: DType
    modular: bool
    sources: tuple[int | None, int | None, int | None]
    out: bool

    @classmethod
    def of(cls, entry: Entry) -> "Kind":
        """The kind of an instruction."""
        v = entry.op.values
        mask = (PREV, NEXT)[v["m_from"]] if "m_from" in v else None
        return cls(
            entry.op.instr.name,
            DType(v["dtype"]),
            DType(v["to"] if "to" in v else v["dtype"]),
            bool(v.get("overflow", 0)),
            (v.get("a_from"), v.get("b_from"), mask),
            bool(v["out"]),
        )


class Vxm:
    """All ALUs. `chained` counts the results that a neighbour takes; they are kept in `State.chain`."""

    def __init__(self, events: Events, graph: Graph, streams: Streams):
        chosen = events.of_class("VXM")
        self._events, self._chosen, self._rows = events, chosen, streams.row
        kinds = [Kind.of(entry) for entry in chosen.entries]
        self._kinds = list(dict.fromkeys(kinds))
        number = {kind: i for i, kind in enumerate(self._kinds)}
        position = iter(number[kind] for kind in kinds)
        group = chosen.each(lambda e: next(position))
        self._alu = chosen.each(lambda e: e.queue.number)
        self._imm = chosen.each(lambda e: e.op["imm"]).astype(np.uint32)
        self._result = chosen.result(0)
        leaves = chosen.issue + chosen.each(lambda e: e.timing.d_chain)
        self._results = Moments(self._alu, leaves, events.horizon)
        if pair := self._results.twice():
            a, b = (events.where(chosen.node[i]) for i in pair)
            raise GoldenError(f"The results of {a} and of {b} leave one ALU in one cycle.")
        #: Per operand a, b, mask and node: first operand in `events.uses`, or the node in the chain; -1 if
        #: neither.
        self._source = np.full((3, len(chosen)), -1)
        self._link(graph, group)
        graph.register(self, chosen.node, group)

    def _link(self, graph: Graph, group: np.ndarray) -> None:
        chosen = self._chosen
        taken = chosen.issue + chosen.each(lambda e: e.timing.chain_skew)
        used = np.zeros(len(chosen), np.int64)
        width = np.array([kind.dtype.streams for kind in self._kinds], np.int64)[group]
        producers = []
        for i in range(3):
            sources = [-1 if kind.sources[i] is None else kind.sources[i] for kind in self._kinds]
            source = np.array(sources, np.int64)[group]
            on_stream = source == STREAM
            self._source[i, on_stream] = (chosen.operand(0) + used)[on_stream]
            used += on_stream * width
            for step, name in ((-1, PREV), (1, NEXT)):
                here = np.flatnonzero(source == name)
                found = self._results.at(self._alu[here] + step, taken[here])
                self._check_chain(here, found, SOURCES[name])
                self._source[i, here] = found
                graph.wait(chosen.node[found], chosen.node[here])
                producers.append(found)
        kept = np.unique(np.concatenate(producers))
        self.chained = len(kept)
        self._slot = np.full(len(chosen), -1)
        self._slot[kept] = np.arange(len(kept))

    def _check_chain(self, here: np.ndarray, found: np.ndarray, name: str) -> None:
        produced = np.where(found >= 0, self._chosen.mask[found], 0) if len(found) else found
        bad = np.flatnonzero(self._chosen.mask[here] & ~produced | (found < 0))
        if bad.size:
            where = self._events.where(self._chosen.node[here[bad[0]]])
            raise GoldenError(
                f"{where} takes {name} from the chain, but no result leaves that neighbour then."
            )

    def evaluate(self, state: State, group: int, items: np.ndarray) -> None:
        kind = self._kinds[group]
        a, b, mask = (self._operand(state, kind, i, items) for i in range(3))
        result = evaluate(kind.name, kind.dtype, a, b, mask=mask, to=kind.to, modular=kind.modular)
        slots = self._slot[items]
        kept = slots >= 0
        if kept.any():
            state.chain[slots[kept]] = result[kept]
        if kind.out:
            width = kind.to.streams
            state.rows[self._result[items][:, None] + np.arange(width)] = split(result, width)

    def _operand(self, state: State, kind: Kind, i: int, items: np.ndarray) -> np.ndarray | None:
        source = kind.sources[i]
        if source is None:
            return None
        if source == IMM:
            return np.broadcast_to(self._imm[items][:, None], (len(items), state.rows.shape[1]))
        at = self._source[i, items]
        if source == STREAM:
            return join(state.rows[self._rows[at[:, None] + np.arange(kind.dtype.streams)]])
        return state.chain[self._slot[at]]
