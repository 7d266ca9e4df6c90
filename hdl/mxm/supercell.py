from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

def tree_sum(t):
    while len(t) > 1:
        t = [t[i] + t[i + 1] if i + 1 < len(t) else t[i] for i in range(0, len(t), 2)]
    return t[0]

class Supercell(wiring.Component):
    def __init__(self, lanes, width):
        self.lanes = lanes
        self.width = width
        super().__init__({
            "write": In(lanes), "load": In(8 * lanes).array(lanes), "install": In(1),
            "act": In(signed(8)).array(lanes), "mul": In(1), "add": In(1), "skip": In(1),
            "below": In(signed(width)).array(lanes),
            "above": Out(signed(width)).array(lanes),
        })
    def elaborate(self, platform):
        m = Module()
        lanes = self.lanes
        for c in range(lanes):
            buffer = [Signal(8, name=f"buffer_{c}_{k}", reset_less=True) for k in range(lanes)]
            weight = [Signal(signed(8), name=f"weight_{c}_{k}", reset_less=True) for k in range(lanes)]
            with m.If(self.write[c]):
                for k in range(lanes):
                    m.d.sync += buffer[k].eq(self.load[c].word_select(k, 8))
            with m.If(self.install):
                for k in range(lanes):
                    m.d.sync += weight[k].eq(buffer[k])
            total = tree_sum([a * w for a, w in zip(self.act, weight)])
            sum_q = Signal(signed(16 + (lanes-1).bit_length()), name=f"sum_{c}_q", reset_less=True)
            psum_q = Signal(signed(self.width), name=f"psum_{c}_q", reset_less=True)
            with m.If(self.mul):
                m.d.sync += sum_q.eq(total)
            with m.If(self.add):
                m.d.sync += psum_q.eq(self.below[c] + sum_q)
            with m.Elif(self.skip):
                m.d.sync += psum_q.eq(self.below[c])
            m.d.comb += self.above[c].eq(psum_q)
        return m
