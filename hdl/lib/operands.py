"""Operands of a unit in one superlane: taken through a tap, checked, corrected."""

from amaranth.hdl import Assert, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.correct import CorrectGroup
from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.stream import check_bits, data_bits, latched
from hdl.lib.tap import Tap
from sw.arch.config import Config
from sw.isa.fields import width_of


class Operands(wiring.Component):
    """Takes a group of streams and gives the corrected words `latch(c)` cycles later.

    Parameters
    ----------
    counts : tuple of int
        Sizes of the groups that it can take; words beyond the group taken are zero.
    tag_bits : int
        Width of what comes along with the operands.

    Members
    -------
    tap : Out(Tap)
    take, code : In
        Take the group that starts at stream `code` now; `size`, where there is a choice, indexes `counts`.
    tag : In
    valid, words, out : Out
        The words, lowest stream in the low bits, and the tag that came with them.
    corrected : Out(max(counts)), uncorrectable : Out(1)
        What the check found, in the cycle of `valid`; a bit of `corrected` for each word.
    """

    def __init__(self, c: Config, counts: tuple[int, ...], tag_bits: int, sim: bool = False):
        self.config, self.counts, self.tag_bits, self.sim = c, counts, tag_bits, sim
        members = {
            "tap": Out(Tap(c, max(counts), sim)),
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

    @property
    def module(self) -> str:
        """Name for its module."""
        return f"operands_{'_'.join(map(str, self.counts))}_tag{self.tag_bits}"

    def elaborate(self, platform):
        m = Module()
        c, most = self.config, max(self.counts)
        data, check = latched(c, most, "operand")
        tap = self.tap
        m.d.comb += [tap.take.eq(self.take), tap.code.eq(self.code)]
        with m.If(self.take):
            for index, count in enumerate(self.counts):
                step, span = (1 << (n - 1).bit_length() for n in (count, most))
                place = self.code[step.bit_length() - 1 : span.bit_length() - 1]
                if self.sim:
                    written = _group(tap.written, place, step)[:count].all()
                    m.d.sync += Assert(~(self.take & self._is(index)) | written, "a stream was read that nobody drove")
                with m.If(self._is(index)):
                    # the words beyond the group become zero, which is a valid word
                    m.d.sync += [
                        data.eq(_group(tap.data, place, step * data_bits(c))[: count * data_bits(c)]),
                        check.eq(_group(tap.check, place, step * check_bits(c))[: count * check_bits(c)]),
                    ]
        valid, tag = delay(m, self.take, self.tag, 1, "taken")
        words = data
        if c.ecc.streams:
            unit = CorrectGroup(data_bits(c), most)
            m.submodules.correct = correct = stamp(unit, f"correct_{data_bits(c)}_by_{most}")
            m.d.comb += [correct.valid.eq(valid), correct.data.eq(data), correct.check.eq(check)]
            words = correct.word
            valid, tag = delay(m, valid, tag, 1, "corrected")
            with m.If(valid):
                m.d.comb += [self.corrected.eq(correct.corrected), self.uncorrectable.eq(correct.lost.any())]
        m.d.comb += [self.valid.eq(valid), self.words.eq(words), self.out.eq(tag)]
        return m

    def _is(self, index: int):
        """Whether the group taken has size `index`."""
        return self.size == index if len(self.counts) > 1 else Const(1)


def _group(words, place, width: int):
    """Group number `place` of `width` bits."""
    return words.word_select(place, width) if len(place) and width else words
