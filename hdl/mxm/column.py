"""One column of a supercell: its weights, their products with the activations, and their sum on the chain."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.tree import tree_sum
from hdl.mxm.fp16 import fp16_sums
from hdl.mxm.shape import MANTISSA_BITS, SHIFT_BITS, Shape, broadcast_members, chain_widths


class SupercellColumn(wiring.Component):
    """`lanes` weights of one column.

    Members
    -------
    those of Broadcast that concern passes, and `install` : In
    buffer : In
        The column's elements that `install` takes into the array.
    below_..., above_... : In, Out
        The column's partial sums of the superlanes to the south, and with this one's added; see Chain.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        members = {name: In(member.shape) for name, member in broadcast_members(shape).items()}
        members["buffer"] = In(shape.element_bits * shape.lanes)
        for name, bits in chain_widths(shape).items():
            members |= {f"below_{name}": In(bits), f"above_{name}": Out(bits)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        weights = []
        for k in range(shape.lanes):
            bits = self.buffer.word_select(k, shape.element_bits)
            mantissa = Signal(signed(MANTISSA_BITS if shape.fp16 else 8), name=f"weight_{k}", reset_less=True)
            shift = Signal(SHIFT_BITS if shape.fp16 else 0, name=f"weight_shift_{k}", reset_less=True)
            with m.If(self.install):
                m.d.sync += [mantissa.eq(bits[: len(mantissa)]), shift.eq(bits[len(mantissa) :])]
            weights.append((mantissa, shift))
        if shape.int8:
            self._int8(m, [mantissa[:8].as_signed() for mantissa, _ in weights])
        if shape.fp16:
            fp16_sums(m, self, weights)
        return m

    def _int8(self, m: Module, weights: list) -> None:
        shape = self.shape
        products = [self.int8.word_select(k, 8).as_signed() * weight for k, weight in enumerate(weights)]
        sum_q = Signal(signed(shape.int8_sum_bits), reset_less=True)
        chain_q = Signal(signed(shape.int8_bits), reset_less=True)
        with m.If(self.int8_sum):
            m.d.sync += sum_q.eq(tree_sum(products))
        with m.If(self.int8_add):
            m.d.sync += chain_q.eq(self.below_int8.as_signed() + sum_q)
        with m.Elif(self.int8_skip):
            m.d.sync += chain_q.eq(self.below_int8)
        m.d.comb += self.above_int8.eq(chain_q)
