"""Operands of a unit in one superlane: taken from the streams, checked, corrected."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.ecc import decode
from hdl.lib.pipe import delay
from hdl.lib.stream import Streams, check_bits, data_bits, latched, peek, watch
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.fields import width_of


class Operands(wiring.Component):
    """Takes a group of streams and gives the corrected words `latch(c)` cycles later.

    Parameters
    ----------
    counts : tuple of int
        Sizes of the groups that it can take; words beyond the group taken mean nothing.
    tag_bits : int
        Width of what comes along with the operands.

    Members
    -------
    streams : In(Streams)
    take, code : In
        Take the group that starts at stream `code` now; `size`, where there is a choice, indexes `counts`.
    tag : In
    valid, words, out : Out
        The words, lowest stream in the low bits, and the tag that came with them.
    corrected : Out(max(counts)), uncorrectable : Out(1)
        In the cycle of the check, one cycle after `take`; a bit of `corrected` for each word.
    """

    def __init__(self, c: Config, counts: tuple[int, ...], tag_bits: int, sim: bool = False):
        self.config, self.counts = c, counts
        members = {
            "streams": In(Streams(c, sim)),
            "take": In(1),
            "code": In(width_of(c.streams) + 1),
            "tag": In(tag_bits),
            "valid": Out(1),
            "words": Out(max(counts) * data_bits(c)),
            "out": Out(tag_bits),
            "corrected": Out(max(counts)),
            "uncorrectable": Out(1),
        }
        if len(counts) > 1:
            members["size"] = In(range(len(counts)))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c, most = self.config, max(self.counts)
        width, extra = data_bits(c), check_bits(c)
        data, check = latched(c, most, "operand")
        for index, count in enumerate(self.counts):
            taken = Signal(name=f"take_{count}")
            m.d.comb += taken.eq(self.take & self._is(index))
            words, checks = peek(m, c, self.streams, taken, self.code, count, "operand")
            watch(m, self.streams, taken, self.code, count)
            with m.If(taken):
                m.d.sync += [data[: count * width].eq(words), check[: count * extra].eq(checks)]
        wanted = Cat(self._wanted(k) for k in range(most))
        valid, taken = delay(m, self.take, Cat(wanted, self.tag), 1, "taken")
        wanted, tag = taken[:most], taken[most:]
        if c.ecc.streams:
            words = self._correct(m, valid, wanted, data, check)
            valid, tag = delay(m, valid, tag, 1, "corrected")
        else:
            words = data
        m.d.comb += [self.valid.eq(valid), self.words.eq(words), self.out.eq(tag)]
        return m

    def _is(self, index: int):
        """Whether the group taken has size `index`."""
        return self.size == index if len(self.counts) > 1 else Const(1)

    def _wanted(self, k: int):
        """Whether the group taken has a word k."""
        sizes = [index for index, count in enumerate(self.counts) if count > k]
        return Const(1) if len(sizes) == len(self.counts) else Cat(self._is(index) for index in sizes).any()

    def _correct(self, m: Module, valid, wanted, data, check):
        width, extra = data_bits(self.config), check_bits(self.config)
        words = Signal.like(self.words, reset_less=True)
        for k in range(max(self.counts)):
            part = slice(k * width, (k + 1) * width)
            with m.If(valid & wanted[k]):
                fixed, corrected, uncorrectable = decode(
                    m, secded(width), data[part], check[k * extra : (k + 1) * extra], name=f"ecc_{k}"
                )
                m.d.sync += words[part].eq(fixed)
                m.d.comb += self.corrected[k].eq(corrected)
                with m.If(uncorrectable):
                    m.d.comb += self.uncorrectable.eq(1)
        return words
