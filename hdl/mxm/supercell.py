"""One supercell: lanes x lanes weights, double buffered, and their products with one superlane's activations."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.tree import tree_or, tree_sum
from hdl.mxm.fp16 import fp16_column
from hdl.mxm.shape import MANTISSA_BITS, SHIFT_BITS, SPECIAL_SHIFT, Broadcast, Chain, Shape


class Supercell(wiring.Component):
    """Rows of one superlane, columns of another.

    Members
    -------
    row : Broadcast
        What the superlane sends to all its supercells.
    here : bool
        Whether this is the supercell that `row.columns` means.
    below, above : Chain
        Partial sums of the superlanes to the south, and with this one's added.

    Timing, from the cycle in which `int8_sum` is high: `int8_add` or `int8_skip` comes one cycle later and `above` holds
    the sum from the cycle after that. fp16: `fp16_multiply`, then `fp16_sum`, then `fp16_add` or `fp16_skip`. Columns are
    in the buffer from the cycle after `here`; the array holds the buffer from the cycle after `install`.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        super().__init__({
            "row": In(Broadcast(shape)),
            "here": In(1),
            "below": In(Chain(shape)),
            "above": Out(Chain(shape)),
        })

    def elaborate(self, platform):
        m = Module()
        shape, row = self.shape, self.row
        buffers, arrays = [], []
        for column in range(shape.lanes):
            buffers.append([Element(shape, f"buffer_{column}_{k}") for k in range(shape.lanes)])
            arrays.append([Element(shape, f"weight_{column}_{k}") for k in range(shape.lanes)])
            with m.If(self.here & row.columns[column]):
                for k, element in enumerate(buffers[column]):
                    self._load(m, column, k, element)
            with m.If(row.install):
                for old, new in zip(arrays[column], buffers[column], strict=True):
                    m.d.sync += old.copy(new)
            if shape.int8:
                int8_column(m, shape, row, column, arrays[column], self.below, self.above)
        if shape.fp16:
            special = Signal(name="weight_special", reset_less=True)
            with m.If(row.install):
                m.d.sync += special.eq(tree_or([w.shift == SPECIAL_SHIFT for weights in buffers for w in weights]))
            for column, weights in enumerate(arrays):
                fp16_column(m, shape, row, column, weights, special, self.below, self.above)
        return m

    def _load(self, m: Module, column: int, k: int, element: "Element") -> None:
        """Takes the weight of row k off the load lines."""
        shape, row = self.shape, self.row
        if shape.int8:
            m.d.sync += element.mantissa.eq(row.load.word_select(column * shape.lanes + k, 8).as_signed())
        if shape.fp16:
            slot = column % shape.load_slots * shape.lanes + k
            bits = row.load.word_select(slot, shape.element_bits)
            with m.If(row.load_fp16):
                m.d.sync += element.mantissa.eq(bits[:MANTISSA_BITS])
                m.d.sync += element.shift.eq(bits[MANTISSA_BITS:])


class Element:
    """Registers of one weight: `mantissa` (an int8 in its lowest eight bits), `shift` if fp16 is built."""

    def __init__(self, shape: Shape, name: str):
        bits = MANTISSA_BITS if shape.fp16 else 8
        self.mantissa = Signal(signed(bits), name=name, reset_less=True)
        self.shift = Signal(SHIFT_BITS, name=f"{name}_shift", reset_less=True) if shape.fp16 else None

    def copy(self, other: "Element") -> list:
        """Takes over another element."""
        copied = [self.mantissa.eq(other.mantissa)]
        return copied if self.shift is None else [*copied, self.shift.eq(other.shift)]


def int8_column(m: Module, shape: Shape, row, column: int, weights: list[Element], below, above) -> None:
    """Sum of a column's int8 products, and its place in the chain."""
    lanes = [row.int8.word_select(k, 8).as_signed() for k in range(shape.lanes)]
    products = [a * w.mantissa[:8].as_signed() for a, w in zip(lanes, weights, strict=True)]
    south = below.int8.word_select(column, shape.int8_bits).as_signed()
    sum_q = Signal(signed(shape.int8_sum_bits), name=f"sum_{column}_q", reset_less=True)
    chain_q = Signal(signed(shape.int8_bits), name=f"chain_{column}_q", reset_less=True)
    with m.If(row.int8_sum):
        m.d.sync += sum_q.eq(tree_sum(products))
    with m.If(row.int8_add):
        m.d.sync += chain_q.eq(south + sum_q)
    with m.Elif(row.int8_skip):
        m.d.sync += chain_q.eq(south)
    m.d.comb += above.int8.word_select(column, shape.int8_bits).eq(chain_q)
