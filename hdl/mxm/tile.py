"""One superlane of a matrix plane as it stands among the streams: operands in, results out."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.fault import MOST_WORDS
from hdl.lib.gate import Awake, longest
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive
from hdl.lib.tap import Tap
from hdl.lib.tree import tree_sum
from hdl.mxm.accumulator import Accumulator
from hdl.mxm.operands import PlaneOperands, most_weights
from hdl.mxm.shape import Broadcast, Shape
from sw.arch.config import Config
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.fields import width_of

#: Queues of a plane, in order.
CLASSES = ("MXM_W", "MXM_A", "MXM_R")


class Tile(wiring.Component):
    """Operands and ACC of one superlane; the supercells stand in the plane's spine.

    Members
    -------
    tap_0, tap_1 : Out(Tap)
        Weights and activations.
    drive_0 : Out(Drive)
    valid_q, word_q : In, corrected_q : Out, fault_q : Out(Fault)
        For each queue q of CLASSES: the word here, and what the SECDED checks found.
    powered : In
        Whether the activation word counts here; if not, the chain passes by.
    row : Out(Broadcast)
    pass_valid, values : In
        The pass that stands at ACC.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {
            "tap_0": Out(Tap(c, most_weights(c), sim)),
            "tap_1": Out(Tap(c, 1 << Shape.of(c).fp16, sim)),
            "drive_0": Out(Drive(c, (4,))),
            "powered": In(1),
            "row": Out(Broadcast(Shape.of(c))),
            "pass_valid": In(1),
            "values": In(32 * c.lanes),
        }
        for q, cls in enumerate(CLASSES):
            members |= {
                f"valid_{q}": In(1),
                f"word_{q}": In(layout(cls, c).bits),
                f"corrected_{q}": Out(width_of(MOST_WORDS + 1)),
                f"fault_{q}": Out(Fault),
            }
        super().__init__(members)

    @property
    def awake(self) -> Awake:
        return Awake(
            (self.valid_0, self.valid_1, self.valid_2, self.pass_valid),
            max(longest(self.config, cls) for cls in CLASSES),
        )

    def elaborate(self, platform):
        m = Module()
        made = PlaneOperands(self.config, self.sim)
        m.submodules.operands = operands = stamp(made, "mxm_operands", weights=self.tap_0, activations=self.tap_1, row=self.row)
        m.submodules.acc = acc = stamp(Accumulator(self.config, self.sim), "mxm_accumulator", drive=self.drive_0)
        m.d.comb += [
            operands.load_valid.eq(self.valid_0),
            operands.load_word.eq(self.word_0),
            operands.pass_valid.eq(self.valid_1),
            operands.pass_powered.eq(self.powered),
            operands.pass_word.eq(self.word_1),
            acc.valid.eq(self.valid_2),
            acc.word.eq(self.word_2),
            acc.pass_valid.eq(self.pass_valid),
            acc.values.eq(self.values),
        ]
        found = (
            (operands.weights_corrected, operands.weights_lost),
            (operands.activations_corrected, operands.activations_lost),
            (acc.corrected, acc.lost),
        )
        for q, (corrected, lost) in enumerate(found):
            with m.If(corrected.any()):
                m.d.comb += getattr(self, f"corrected_{q}").eq(tree_sum(list(corrected)))
            m.d.comb += getattr(self, f"fault_{q}").eq(Mux(lost, Fault.ECC, Fault.NONE))
        return m
