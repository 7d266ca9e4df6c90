"""One supercell: lanes x lanes weights, double buffered, and their products with a superlane's activations."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.copies import Copies
from hdl.lib.gate import Awake
from hdl.lib.stamp import stamp
from hdl.mxm.column import SupercellColumn
from hdl.mxm.shape import Broadcast, Chain, Shape, broadcast_members, chain_widths, enables


class Supercell(wiring.Component):
    """Rows of one superlane, columns of another.

    Members
    -------
    row : Broadcast
        What the superlane sends to all its supercells.
    here : In(1)
        Whether this is the supercell that `row.columns` means.
    below, above : Chain
        Partial sums of the superlanes to the south, and with this one's added.

    Timing, from the cycle in which `int8_sum` is high: `int8_add` or `int8_skip` comes one cycle later and `above`
    holds the sum from the cycle after that. fp16: `fp16_multiply`, then `fp16_sum`, then `fp16_add` or `fp16_skip`.
    Columns are in the buffer from the cycle after `here`; the array holds the buffer from the cycle after `install`.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        super().__init__({
            "row": In(Broadcast(shape)),
            "here": In(1),
            "below": In(Chain(shape)),
            "above": Out(Chain(shape)),
        })

    @property
    def awake(self) -> Awake:
        return Awake((self.here, *(getattr(self.row, name) for name in enables(self.shape))), 0)

    def elaborate(self, platform):
        m = Module()
        shape, row = self.shape, self.row
        width = shape.element_bits * shape.lanes
        buffer = Signal(width * shape.lanes, reset_less=True)
        for column in range(shape.lanes):
            with m.If(self.here & row.columns[column]):
                m.d.sync += buffer.word_select(column, width).eq(self._loaded(m, column))

        shared = tuple(broadcast_members(shape))
        made = Copies(lambda: SupercellColumn(shape), "mxm_column", shape.lanes, shared)
        m.submodules.columns = columns = stamp(made, "mxm_columns")
        m.d.comb += [getattr(columns, name).eq(getattr(row, name)) for name in shared]
        m.d.comb += columns.buffer.eq(buffer)
        for name in chain_widths(shape):
            m.d.comb += [
                getattr(columns, f"below_{name}").eq(getattr(self.below, name)),
                getattr(self.above, name).eq(getattr(columns, f"above_{name}")),
            ]
        return m

    def _loaded(self, m: Module, column: int) -> Signal:
        """A column of elements off the load lines."""
        shape, row = self.shape, self.row
        elements = Signal(shape.element_bits * shape.lanes, name=f"loaded_{column}")
        if shape.int8:
            for k in range(shape.lanes):
                weight = row.load.word_select(column * shape.lanes + k, 8).as_signed()
                m.d.comb += elements.word_select(k, shape.element_bits).eq(weight)
        if shape.fp16:
            with m.If(row.load_fp16):
                m.d.comb += elements.eq(row.load.word_select(column % shape.load_slots, len(elements)))
        return elements
