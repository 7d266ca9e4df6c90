"""The host bus: how the host port reaches memories, queues and counters while no program runs.

One request a cycle at most, never stalled. Every request, write or read, that names an existing place is
answered exactly once, by `valid`; answers to one unit keep their order. How long an answer takes is up to
the floorplan. Reading queues is not supported, so a queue need not have the path.

- MEM: `unit` is the slice, `addr` the word, `part` the superlane; `data` and `check` are the stored word.
- QUEUE: `unit` is the queue, `addr` the word, `part` the piece of `data` bits of its 16 bytes, lowest
  first. The pieces of a word come in order and all of them, so the queue may write when the last arrives.
  `check` is zero.
- STATUS, read only: `unit` is the queue, `addr` a `hostmap.Counter`; the answer is a number of 32 bits.
"""

from dataclasses import dataclass

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from sw.arch.ecc import secded
from sw.arch.hostmap import Counter, Space
from sw.isa.fields import WORD_BYTES


@dataclass(frozen=True)
class BusShape:
    """Sizes of a host bus: what exists behind it, and from that the widths of its fields.

    slices, words: MEM slices and the words of each. queues, queue_words: instruction queues and the boot
    words that each can take. units: units that a fault can name. ecc: MEM words carry check bits.
    """

    lanes: int
    superlanes: int
    slices: int
    words: int
    queues: int
    queue_words: int
    units: int
    ecc: bool = True

    @property
    def word_bits(self) -> int:
        """Bits of one superlane's word, without check bits."""
        return 8 * self.lanes

    @property
    def data_bits(self) -> int:
        """Width of `data`; only narrow chips have more of it than a MEM word, for the counters."""
        return max(self.word_bits, 32)

    @property
    def check_bits(self) -> int:
        """Width of `check`."""
        return secded(self.word_bits).check_bits if self.ecc else 0

    @property
    def queue_parts(self) -> int:
        """Pieces of `lanes` bytes in which a queue word travels."""
        return WORD_BYTES // self.lanes

    @property
    def unit_bits(self) -> int:
        """Width of `unit`."""
        return bits_for(max(self.slices, self.queues) - 1)

    @property
    def part_bits(self) -> int:
        """Width of `part`."""
        return bits_for(max(self.superlanes, self.queue_parts) - 1)

    @property
    def addr_bits(self) -> int:
        """Width of `addr`."""
        return bits_for(max(self.words, self.queue_words, len(Counter)) - 1)


class HostBus(wiring.Signature):
    """`request` from the host port, `answer` to it."""

    def __init__(self, shape: BusShape):
        self.shape = shape
        request = wiring.Signature({
            "valid": Out(1),
            "write": Out(1),
            "space": Out(range(len(Space))),
            "unit": Out(shape.unit_bits),
            "part": Out(shape.part_bits),
            "addr": Out(shape.addr_bits),
            "data": Out(shape.data_bits),
            "check": Out(shape.check_bits),
        })
        answer = wiring.Signature({
            "valid": Out(1),
            "data": Out(shape.data_bits),
            "check": Out(shape.check_bits),
        })
        super().__init__({"request": Out(request), "answer": In(answer)})
