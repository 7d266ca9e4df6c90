"""Program text: how words of a queue lie in memory rows, and which rows an IFETCH finds on its streams."""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.stream import Stream
from sw.asm.burst import Burst
from sw.asm.entry import ProgramError
from sw.asm.image import Image, Segment
from sw.isa.codec import words_from_bytes, words_to_bytes
from sw.isa.fields import WORD_BYTES
from sw.isa.rows.icu import fetch_beats, fetch_words
from sw.isa.spec import Op

#: A row of memory: (slice in host order, word address).
Row = tuple[int, int]


class FetchError(ValueError):
    """An IFETCH that does not find program text; the text names the cycle, the stream and what is there."""


@dataclass(frozen=True)
class TextPlan:
    """Where a queue's words behind its first `boot` ones lie: for every beat of every fetch, in order, the
    row that comes on the low stream and the row that comes on the high one."""

    boot: int
    rows: tuple[tuple[Row, Row], ...]

    def place(self, numbers: list[int], queue: str, c: Config) -> list[Segment]:
        """The memory segments that hold these words, filled up with HALTs; ProgramError if too many."""
        fits = len(self.rows) // fetch_beats(c) * fetch_words(c)
        if len(numbers) > fits:
            raise ProgramError(
                f"Queue {queue} has {len(numbers)} words behind its boot part of {self.boot}, "
                f"the rows of its program text hold {fits}."
            )
        # HALT is the word 0, so a queue that runs into the filling halts.
        packed = np.zeros((len(self.rows) // fetch_beats(c), fetch_beats(c) * 2 * c.vl), np.uint8)
        words = np.frombuffer(words_to_bytes(numbers).ljust(fits * WORD_BYTES, b"\0"), np.uint8)
        packed[:, : fetch_words(c) * WORD_BYTES] = words.reshape(-1, fetch_words(c) * WORD_BYTES)
        beats = packed.reshape(-1, c.superlanes, 2, c.lanes)
        segments = []
        for row, pair in zip(beats, self.rows, strict=True):
            for half, (where, addr) in enumerate(pair):
                segments.append(
                    Segment(where, addr, np.ascontiguousarray(row[:, half]).reshape(1, -1), text=True)
                )
        return segments


def unpack(beats: list[tuple[np.ndarray, np.ndarray]], c: Config) -> list[int]:
    """The words of one fetch from its beats, each the vectors (uint8 [VL]) of the low and the high stream."""
    order = [np.stack([low.reshape(-1, c.lanes), high.reshape(-1, c.lanes)], 1) for low, high in beats]
    raw = np.concatenate(order).tobytes()[: fetch_words(c) * WORD_BYTES]
    return words_from_bytes(raw)


class TextReader:
    """Finds the program text that READs put on the streams of an IFETCH.

    Every burst of every queue is `record`ed in order of time before an IFETCH that it can reach asks for it.
    """

    def __init__(self, image: Image):
        self.c = image.config
        plan = floorplan(self.c)
        self._slices = {unit.name: index for index, unit in enumerate(plan.slices)}
        #: queue -> d_func -> (starts, bursts, instructions), for everything that drives a stream.
        self._drivers: dict[int, dict[int, tuple[list[int], list[Burst], list[Op]]]] = {}
        by_stop = sorted(plan.queues, key=lambda queue: queue.unit.stop)
        self._eastward, self._westward = by_stop[::-1], by_stop
        self._rows = {
            (segment.slice, segment.addr + k): row
            for segment in image.memory
            if segment.text
            for k, row in enumerate(segment.data)
        }

    def record(self, burst: Burst) -> None:
        """Takes note of a burst whose instructions may drive a stream."""
        for op in burst.word:
            if op.drives(self.c):
                times = self._drivers.setdefault(burst.queue.index, {})
                starts, bursts, ops = times.setdefault(op.timing(self.c).d_func, ([], [], []))
                starts.append(burst.start)
                bursts.append(burst)
                ops.append(op)

    def fetch(self, burst: Burst) -> tuple[list[int], list[tuple[Row, Row]]]:
        """The words that an IFETCH brings, and the rows of memory in which they lie, beat by beat.

        FetchError if anything but program text stands on its streams.
        """
        low = burst.word[0]["stream"]
        if burst.mask != (1 << self.c.superlanes) - 1:
            raise FetchError("superlanes are without power, text comes from all of them")
        cycles = range(burst.start, burst.start + fetch_beats(self.c))
        pairs = [(self._row(burst, low, cycle), self._row(burst, low + 1, cycle)) for cycle in cycles]
        return unpack([(self._rows[a], self._rows[b]) for a, b in pairs], self.c), pairs

    def _row(self, burst: Burst, code: int, cycle: int) -> Row:
        stream = Stream.of(code, self.c.streams)
        found = self._producer(stream, burst.queue.unit.stop, cycle)
        if found is None:
            raise FetchError(f"nobody drives {stream} at its stop for cycle {cycle}")
        source, op, k = found
        what = f"stream {stream} of cycle {cycle} carries {op.instr.name} of {source.queue.name}"
        if op.instr.name != "READ":
            raise FetchError(f"{what}, program text comes by READ")
        if source.mask != burst.mask:
            raise FetchError(f"{what}, which is without power in some superlanes")
        row = self._slices[source.queue.unit.name], op["addr"] + k * op["stride"]
        if row not in self._rows:
            raise FetchError(f"{what} from word {row[1]}, which is not program text in the image")
        return row

    def _producer(self, stream: Stream, stop: int, cycle: int) -> tuple[Burst, Op, int] | None:
        """Who drives the value that stands on a stream: the nearest unit upstream that does in time."""
        code = stream.code(self.c.streams)
        for queue in self._westward if stream.west else self._eastward:
            hops = queue.unit.stop - stop if stream.west else stop - queue.unit.stop
            if hops < 1:
                continue
            for d_func, (starts, bursts, ops) in self._drivers.get(queue.index, {}).items():
                issue = cycle - d_func - hops + 1
                at = bisect_right(starts, issue) - 1
                if at < 0 or (k := bursts[at].copy_at(issue)) is None:
                    continue
                if any(first <= code < first + count for first, count in ops[at].drives(self.c)):
                    return bursts[at], ops[at], k
        return None
