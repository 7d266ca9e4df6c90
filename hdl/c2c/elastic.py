"""The elastic buffer: words come by their sender's clock and leave, one a cycle, by the chip's."""

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.lib.tree import tree_sum
from sw.arch.config import Config
from sw.arch.hostmap import Fault
from sw.arch.links import MARK, elastic_depth

#: Words that may have come since the number that the reader knows of.
_UNSEEN = 4


class Elastic(wiring.Component):
    """The receive side of a port's wires.

    Members
    -------
    rx, rx_clk : In
        Words, one in every cycle of their own clock.
    listen : In(1)
        Looks for marks, of which the last counts.
    heard : Out(1)
        A mark has come since this rose.
    align : In(1)
        The mark stands at the port in this cycle; the word behind it does in the next.
    word : Out, state : Out(Fault)
        What stands at the port, and LINK_UNDERRUN or LINK_OVERRUN if it is not what was sent then.
    newest : Out
        A word that has come a few cycles ago; some are left out or seen twice.
    """

    def __init__(self, c: Config):
        self.config = c
        bits = 8 * c.c2c.link_bytes
        super().__init__({
            "rx": In(bits),
            "rx_clk": In(1),
            "listen": In(1),
            "heard": Out(1),
            "align": In(1),
            "word": Out(bits),
            "state": Out(Fault),
            "newest": Out(bits),
        })

    def elaborate(self, platform):
        m = Module()
        m.domains.rx = ClockDomain("rx", reset_less=True, local=True)
        m.d.comb += ClockSignal("rx").eq(self.rx_clk)
        depth = elastic_depth(self.config)
        m.submodules.words = words = Memory(shape=len(self.rx), depth=depth, init=[])
        # Two bits more than an address tell how far reader and writer are apart, up to twice the depth either way.
        bits = (4 * depth - 1).bit_length()
        seen, mark = self._write(m, words, bits)
        at, here = Signal(bits), Signal(bits)
        read, newest = words.read_port(domain="comb"), words.read_port(domain="comb")
        m.d.comb += [
            here.eq(Mux(self.align, mark + 1, at)),
            read.addr.eq(here),
            newest.addr.eq(seen - 1),
        ]
        ahead = Signal(bits)
        m.d.comb += ahead.eq(seen - here)
        m.d.sync += [at.eq(here + 1), self.word.eq(read.data), self.newest.eq(newest.data), self.state.eq(Fault.NONE)]
        with m.If((ahead == 0) | (ahead >= 3 * depth)):
            m.d.sync += self.state.eq(Fault.LINK_UNDERRUN)
        with m.Elif(ahead > depth - _UNSEEN):
            m.d.sync += self.state.eq(Fault.LINK_OVERRUN)
        return m

    def _write(self, m: Module, words: Memory, bits: int) -> tuple[Value, Value]:
        """The sender's side; how many words have come, as far as the reader knows, and which of them is the mark."""
        count, gray, mark = (Signal(bits, name=name) for name in ("count", "gray", "mark"))
        following = Signal(bits)
        listening, marked = Signal(), Signal()
        write = words.write_port(domain="rx")
        m.submodules.listen = FFSynchronizer(self.listen, listening, o_domain="rx")
        m.d.comb += [following.eq(count + 1), write.addr.eq(count), write.data.eq(self.rx), write.en.eq(1)]
        m.d.rx += [count.eq(following), gray.eq(following ^ following >> 1)]
        with m.If(~listening):
            m.d.rx += marked.eq(0)
        with m.Elif(voted(self.rx, MARK)):
            m.d.rx += [marked.eq(1), mark.eq(count)]
        known = Signal(bits)
        m.submodules.count = FFSynchronizer(gray, known)
        m.submodules.heard = FFSynchronizer(marked, self.heard)
        # `mark` stands still when it is used, for ALIGN comes some cycles behind a mark.
        return Cat(known[k:].xor() for k in range(bits)), mark


def voted(word: Value, value: int) -> Value:
    """Whether more than half of the bytes of a word have a value."""
    count = len(word) // 8
    return tree_sum([word.word_select(k, 8) == value for k in range(count)]) > count // 2
