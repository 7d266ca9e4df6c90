"""IFETCH: program text as it stands on the streams must be the words that the queues were taken to issue."""

import numpy as np

from sw.arch.floorplan import Queue
from sw.asm.fetch import unpack
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.state import State
from sw.golden.streams import Streams
from sw.isa.codec import decode
from sw.isa.rows.icu import fetch_beats
from sw.isa.spec import Word


class Fetches:
    """All IFETCH of a program, and what each queue issued, to be compared once the text has arrived."""

    def __init__(self, events: Events, graph: Graph, streams: Streams, boot: dict[str, tuple[int, ...]]):
        self._events, self._boot = events, boot
        self._chosen = chosen = events.select("IFETCH")
        self._beats = fetch_beats(events.config)
        stop = chosen.each(lambda e: e.queue.unit.stop)
        code = chosen.field("stream")
        rows = [
            [streams.find(code + half, stop, chosen.issue + beat) for half in range(2)]
            for beat in range(self._beats)
        ]
        #: Rows [fetch, beat, half].
        self._rows = np.array(rows, np.int64).reshape(self._beats, 2, -1).transpose(2, 0, 1)
        if (lost := np.flatnonzero((self._rows < 0).any(axis=(1, 2)))).size:
            raise GoldenError(f"{events.where(chosen.node[lost[0]])} finds no text on its streams.")
        self._queues = [e.queue for e in chosen.entries]
        self._good: np.ndarray | None = None

    def check(self, state: State) -> None:
        """GoldenError if a queue would not have issued what it did."""
        text = state.rows[self._rows]
        if self._good is not None and (text == self._good).all():
            return
        for queue in dict.fromkeys(self._queues):
            words = [decode(number, queue.cls, self._events.config) for number in self._boot[queue.name]]
            for i in np.argsort(self._chosen.issue):
                if self._queues[i] is queue:
                    numbers = unpack([tuple(beat) for beat in text[i]], self._events.config)
                    words += [decode(number, queue.cls, self._events.config) for number in numbers]
            self._replay(queue, words)
        self._good = text

    def _replay(self, queue: Queue, words: list[Word]) -> None:
        """Compares the words of a queue with its bursts, in order up to HALT."""
        at = 0
        for burst in dict.fromkeys(e.burst for e in self._events.entries if e.queue is queue):
            while at < len(words) and words[at][0].instr.name == "NOP":
                at += 1
            copies = 1
            if at + 1 < len(words) and words[at + 1][0].instr.name == "REPEAT" and burst.count > 1:
                copies = 1 + words[at + 1][0]["n"]
            if at >= len(words) or words[at] != burst.word or copies != burst.count:
                names = " | ".join(op.instr.name for op in burst.word)
                raise GoldenError(
                    f"Queue {queue.name} issues {names} at cycle {burst.start}, "
                    "which is not the text fetched."
                )
            at += 1 + (copies > 1)
