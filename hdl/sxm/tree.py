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
from sw.isa.stages import FLOAT_STAGES
from sw.isa.table import instruction

MAX, MIN, SUM = range(len(REDUCE_OPS))
INT32, FP32 = range(len(REDUCE_TYPES))
WORD = DType.FP32.bits

#: What the values of a tree are reduced by.
Kind = data.StructLayout({"fn": width_of(len(REDUCE_OPS)), "dtype": width_of(len(REDUCE_TYPES))})


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
    valid, values, kind, tag : In
        Value 0 in the low bits.
    total_valid, total, total_kind, total_tag : Out
        `FLOAT_STAGES` cycles later for each level.
    """

    def __init__(self, count: int, tag_bits: int):
        self.count, self.tag_bits = count, tag_bits
        super().__init__({
            "valid": In(1),
            "values": In(WORD * count),
            "kind": In(Kind),
            "tag": In(tag_bits),
            "total_valid": Out(1),
            "total": Out(WORD),
            "total_kind": Out(Kind),
            "total_tag": Out(tag_bits),
        })

    def elaborate(self, platform):
        m = Module()
        valid, kind = self.valid, self.kind.as_value()
        tag = self.tag
        values = [self.values[WORD * k : WORD * (k + 1)] for k in range(self.count)]
        level = 0
        while len(values) > 1:
            level += 1
            pairs = len(values) // 2
            m.submodules[f"nodes_{level}"] = nodes = stamp(Nodes(pairs), f"sxm_reduce_node_by_{pairs}")
            m.d.comb += [
                nodes.valid.eq(valid),
                nodes.kind.eq(kind),
                nodes.a.eq(Cat(values[: 2 * pairs : 2])),
                nodes.b.eq(Cat(values[1::2])),
            ]
            above = [nodes.result[WORD * k : WORD * (k + 1)] for k in range(pairs)]
            if len(values) % 2:
                above.append(delay(m, valid, values[-1], FLOAT_STAGES, f"odd_{level}")[1])
            along = Cat(kind, tag)
            valid, along = delay(m, valid, along, FLOAT_STAGES, f"level_{level}")
            kind, tag = along[: len(kind)], along[len(kind) :]
            values = above
        m.d.comb += [
            self.total_valid.eq(valid),
            self.total.eq(values[0]),
            self.total_kind.eq(kind),
            self.total_tag.eq(tag),
        ]
        return m


class Nodes(wiring.Component):
    """`count` nodes of one level; the ports are those of `Node`, node 0 in the low bits."""

    def __init__(self, count: int):
        self.count = count
        super().__init__({
            "valid": In(1),
            "kind": In(Kind),
            "a": In(WORD * count),
            "b": In(WORD * count),
            "result": Out(WORD * count),
        })

    def elaborate(self, platform):
        m = Module()
        for k in range(self.count):
            part = slice(WORD * k, WORD * (k + 1))
            m.submodules[f"node_{k}"] = node = stamp(Node(), "sxm_reduce_node")
            m.d.comb += [
                node.valid.eq(self.valid),
                node.kind.eq(self.kind),
                node.a.eq(self.a[part]),
                node.b.eq(self.b[part]),
                self.result[part].eq(node.result),
            ]
        return m


class Node(wiring.Component):
    """The maximum, minimum or sum of two values, `FLOAT_STAGES` cycles later; integer sums wrap."""

    def __init__(self):
        super().__init__({
            "valid": In(1),
            "kind": In(Kind),
            "a": In(WORD),
            "b": In(WORD),
            "result": Out(WORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.adder = adder = stamp(Fp32Add(), "fp32_add")
        floats = self.kind.dtype == FP32
        added = named(m, "added", self.valid & floats & (self.kind.fn == SUM))
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
            with m.Elif(self.kind.fn == SUM):
                m.d.comb += chosen.eq(self.a + self.b)
            with m.Else():
                m.d.comb += chosen.eq(Mux(below ^ (self.kind.fn == MAX), self.a, self.b))
        _, chosen = delay(m, simple, chosen, FLOAT_STAGES, "chosen")
        m.d.comb += self.result.eq(Mux(adder.result_valid, adder.result, chosen))
        return m
