"""The lanes of one ALU in one superlane: the same operation on `lanes` elements."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.lane import Lane
from hdl.lib.stamp import stamp


class Lanes(wiring.Component):
    """`count` lanes that start one operation in any cycle; `hdl.lib.lane.Lane` says what their ports mean.

    Members
    -------
    valid, op, dtype, to, modular : In
    a, b, mask : In, 32, 32 and 1 bit a lane
    result : Out, 32 bits a lane; result_valid : Out(1)
    """

    def __init__(self, count: int, floats: bool, specials: bool):
        self.count, self.floats, self.specials = count, floats, specials
        super().__init__({
            "valid": In(1),
            "op": In(6),
            "dtype": In(3),
            "to": In(3),
            "modular": In(1),
            "a": In(32 * count),
            "b": In(32 * count),
            "mask": In(count),
            "result": Out(32 * count),
            "result_valid": Out(1),
        })

    @property
    def kind(self) -> str:
        """Names what the lanes can do."""
        return "special" if self.specials else "float" if self.floats else "simple"

    def elaborate(self, platform):
        m = Module()
        results = []
        for k in range(self.count):
            m.submodules[f"lane_{k}"] = lane = stamp(Lane(self.floats, self.specials), f"vxm_lane_{self.kind}")
            for name in ("valid", "op", "dtype", "to", "modular"):
                m.d.comb += getattr(lane, name).eq(getattr(self, name))
            m.d.comb += [
                lane.a.eq(self.a[32 * k : 32 * k + 32]),
                lane.b.eq(self.b[32 * k : 32 * k + 32]),
                lane.mask.eq(self.mask[k]),
            ]
            results.append(lane.result)
            if k == 0:
                m.d.comb += self.result_valid.eq(lane.result_valid)
        m.d.comb += self.result.eq(Cat(results))
        return m
