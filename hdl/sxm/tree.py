"""Reduction of many values to one by a fixed binary tree of pipelined nodes."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.lib import fp32
from hdl.lib.bits import named
from hdl.lib.fp32_add import Fp32Add
from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from sw.arch.dtype import DType
from sw.isa.fields import REDUCE_OPS, REDUCE_TYPES, width_of
from sw.isa.table import FLOAT_STAGES, instruction

MAX, MIN, SUM = range(len(REDUCE_OPS))
INT32, FP32 = range(len(REDUCE_TYPES))
WORD = DType.FP32.bits

#: What the values of a tree are reduced by.
Function = data.StructLayout({"fn": width_of(len(REDUCE_OPS)), "dtype": width_of(len(REDUCE_TYPES))})


class Tree(wiring.Component):
    """Pairs of neighbours, value 0 first, level by level; an odd one out passes up.

    Parameters
    ----------
    count : int
        Values that are reduced to one.
    tag_bits : int
        Width of what comes along.

    Members
    -------
    valid, values, function, tag : In
        Value 0 in the low bits.
    total_valid, total, total_function, total_tag : Out
        `FLOAT_STAGES` cycles later for each level.
    """

    def __init__(self, count: int, tag_bits: int):
        self.count, self.tag_bits = count, tag_bits
        super().__init__({
            "valid": In(1),
            "values": In(WORD * count),
            "function": In(Function),
            "tag": In(tag_bits),
            "total_valid": Out(1),
            "total": Out(WORD),
            "total_function": Out(Function),
            "total_tag": Out(tag_bits),
        })

    def elaborate(self, platform):
        m = Module()
        valid, function = self.valid, self.function.as_value()
        tag = self.tag
        values = [self.values[WORD * k : WORD * (k + 1)] for k in range(self.count)]
        level = 0
        while len(values) > 1:
            level += 1
            above = []
            for k in range(0, len(values) - 1, 2):
                m.submodules[f"node_{level}_{k // 2}"] = node = stamp(Node(), "sxm_reduce_node")
                m.d.comb += [
                    node.valid.eq(valid),
                    node.function.eq(function),
                    node.a.eq(values[k]),
                    node.b.eq(values[k + 1]),
                ]
                above.append(node.result)
            if len(values) % 2:
                above.append(delay(m, valid, values[-1], FLOAT_STAGES, f"odd_{level}")[1])
            along = Cat(function, tag)
            valid, along = delay(m, valid, along, FLOAT_STAGES, f"level_{level}")
            function, tag = along[: len(function)], along[len(function) :]
            values = above
        m.d.comb += [
            self.total_valid.eq(valid),
            self.total.eq(values[0]),
            self.total_function.eq(function),
            self.total_tag.eq(tag),
        ]
        return m


class Node(wiring.Component):
    """The maximum, minimum or sum of two values, `FLOAT_STAGES` cycles later; integer sums wrap."""

    def __init__(self):
        super().__init__({
            "valid": In(1),
            "function": In(Function),
            "a": In(WORD),
            "b": In(WORD),
            "result": Out(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.adder = adder = Fp32Add()
        floats = self.function.dtype == FP32
        added = named(m, "added", self.valid & floats & (self.function.fn == SUM))
        m.d.comb += [
            adder.valid.eq(added),
            adder.op.eq(instruction("ADD").code),
            adder.a.eq(self.a),
            adder.b.eq(self.b),
        ]

        simple = named(m, "simple", self.valid & ~added)
        chosen = Signal(WORD)
        with m.If(simple):
            below = Mux(floats, fp32.less(self.a, self.b), self.a.as_signed() < self.b.as_signed())
            with m.If(floats & (fp32.is_nan(self.a) | fp32.is_nan(self.b))):
                m.d.comb += chosen.eq(fp32.NAN)
            with m.Elif(self.function.fn == SUM):
                m.d.comb += chosen.eq(self.a + self.b)
            with m.Else():
                m.d.comb += chosen.eq(Mux(below ^ (self.function.fn == MAX), self.a, self.b))
        _, chosen = delay(m, simple, chosen, FLOAT_STAGES, "chosen")
        m.d.comb += self.result.eq(Mux(adder.result_valid, adder.result, chosen))
        return m
