"""The digits network as a program: one image a cycle through both planes, its class to memory.

```
MEM_E -> image E16 ->  MXM_E0  -> sums SG4_W[0] -> VXM 0-4: bias, scale, relu, int8 -> W16 ->  MXM_W0
MXM_W0 -> sums SG4_E[5] -> VXM 8-9: pack -> SG4_E[6] -> SXM_E max -> SG4_W[5]
       -> VXM 10-11: unpack -> W24 -> MEM_W
```

Arg-max by one reduction: logit * 64 + 63 - lane is largest for the largest logit,
and for the lowest lane among equals.
"""

import numpy as np

from examples.digits.network import CLASSES, LANE_BITS, LANES, Network
from sw.arch.config import Config
from sw.asm.entry import Entry
from sw.asm.flow import arrival, chained, read_time
from sw.asm.operands import PREV
from sw.asm.program import Program
from sw.isa.table import instruction

#: Lanes that one LW brings, from as many slices; the four slices of a constant SG4.
COLUMNS = 16
WEIGHT_SLICES = range(8, 8 + COLUMNS)
IMAGE_SLICE, CLASS_SLICE, HIDDEN_SLICE = "E4", "W0", "W1"
HIDDEN_BIAS, LOGIT_BIAS = ("E0", "E1", "E2", "E3"), ("E5", "E6", "E7", "E8")
PACKED_SLICES = ("E12", "E13", "E14", "E15")


def build(config: Config, network: Network, images: int) -> Program:
    """The program for a chip of 64 lanes with a plane on either side.

    Region `images` takes one uint8 image a word. Region `classes` then has the class of each in every lane,
    region `hidden` the int8 hidden layer, and regions `packed0` to `packed3` the bytes of int32
    logit * 64 + 63 - lane, low byte first.
    """
    flow = _Flow(config, images)
    flow.memory(network)
    hidden = flow.hidden_layer(float(network.hidden_scale))
    sums = flow.logit_layer(hidden)
    flow.argmax(sums)
    return flow.program


class _Flow:
    """The parts of the program, each given the entry whose results it works on."""

    def __init__(self, config: Config, images: int):
        self.c, self.images = config, images
        self.program = Program(config)
        self.at = self.program.at

    def memory(self, network: Network) -> None:
        """Places regions, weights and constants."""
        self.program.input("images", IMAGE_SLICE, 0, self.images)
        outputs = {"classes": CLASS_SLICE, "hidden": HIDDEN_SLICE}
        outputs |= {f"packed{j}": name for j, name in enumerate(PACKED_SLICES)}
        for name, place in outputs.items():
            self.program.output(name, place, 0, self.images)
        logit_weights = np.zeros((LANES, LANES), np.int8)
        logit_weights[:, :CLASSES] = network.logit_weights
        for side, weights in (("E", network.hidden_weights), ("W", logit_weights)):
            for j, number in enumerate(WEIGHT_SLICES):
                columns = np.ascontiguousarray(weights[:, j::COLUMNS].T)
                self.program.data(f"{side}{number}", self.c.bank_words, columns)
        for slices, values in ((HIDDEN_BIAS, network.hidden_bias), (LOGIT_BIAS, network.packed_bias())):
            for j, name in enumerate(slices):
                self.program.data(name, self.c.bank_words + COLUMNS, (values >> 8 * j).astype(np.uint8))

    def hidden_layer(self, scale: float) -> Entry:
        """Weights and images to the east plane, sums to int8; gives the word that drives the hidden layer."""
        first = self.weights_ready("E")
        self.load_weights("E", first)
        begin = read_time(self.c, f"MEM_{IMAGE_SLICE}", "MXM_E0", first)
        self.each(self.at(begin).mem(IMAGE_SLICE).read(0, "E16", stride=1))
        sums = self.multiply("E0", first, "E16", "SG4_W[0]")
        time = arrival(sums, "VXM")
        self.constant(HIDDEN_BIAS, "W4", time)
        biased = self.each(self.at(time).vxm(0).add("int32", "SG4_W[0]", "SG4_W[1]"))
        wide = self.each(self.at(chained(biased)).vxm(1).convert("int32", "fp32", PREV))
        scaled = self.each(self.at(chained(wide)).vxm(2).mul("fp32", PREV, scale))
        cut = self.each(self.at(chained(scaled)).vxm(3).relu("fp32", PREV))
        return self.each(self.at(chained(cut)).vxm(4).convert("fp32", "int8", PREV, dst="W16"))

    def logit_layer(self, hidden: Entry) -> Entry:
        """The hidden layer to the west plane; gives the word that drives the sums."""
        self.store(hidden, HIDDEN_SLICE, "W16")
        first = arrival(hidden, "MXM_W0")
        self.load_weights("W", first)
        return self.multiply("W0", first, "W16", "SG4_E[5]")

    def argmax(self, sums: Entry) -> None:
        """Packs the sums with their lanes, takes the largest, unpacks the lane and writes it."""
        time = arrival(sums, "VXM")
        raised = self.each(self.at(time).vxm(8).shl("int32", "SG4_E[5]", LANE_BITS))
        self.constant(LOGIT_BIAS, "W28", chained(raised))
        packed = self.each(self.at(chained(raised)).vxm(9).add("int32", PREV, "SG4_W[7]", dst="SG4_E[6]"))
        for j, name in enumerate(PACKED_SLICES):
            self.store(packed, name, f"E{24 + j}")
        engine = self.at(arrival(packed, "SXM_E")).sxm("E")
        largest = self.each(engine.reduce("max", "int32", "SG4_E[6]", "SG4_W[5]"))
        time = arrival(largest, "VXM")
        low = self.each(self.at(time).vxm(10).mask("int8", "W20", LANES - 1))
        lane = self.each(self.at(chained(low)).vxm(11).xor("int8", PREV, LANES - 1, dst="W24"))
        self.store(lane, CLASS_SLICE, "W24")

    def weights_ready(self, side: str) -> int:
        """The first cycle in which a plane can start a pass when all weights are read from cycle 0 on."""
        far = min(read_time(self.c, f"MEM_{side}{number}", f"MXM_{side}0", 0) for number in WEIGHT_SLICES)
        return -far + LANES // COLUMNS - 1 + self.install()

    def install(self) -> int:
        """Cycles from IW to the first pass with the new weights."""
        return instruction("IW").timing(self.c, {}).d_func

    def load_weights(self, side: str, first: int) -> None:
        """Loads and installs the plane of one side just in time for passes from cycle `first` on."""
        loads, plane = LANES // COLUMNS, f"{side}0"
        time = first - self.install() - loads + 1
        for j, number in enumerate(WEIGHT_SLICES):
            name = f"{side}{number}"
            place = self.at(read_time(self.c, f"MEM_{name}", f"MXM_{plane}", time)).mem(name)
            place.read(self.c.bank_words, f"{side}{j}", stride=1).repeat(loads - 1)
        self.at(time).mxm(plane).lw("int8", f"{side}0", COLUMNS, 0, stride=COLUMNS).repeat(loads - 2)
        last = self.at(time + loads - 1).mxm(plane)
        last.lw("int8", f"{side}0", COLUMNS, LANES - COLUMNS)
        last.iw()

    def multiply(self, plane: str, first: int, activations: str, sums: str) -> Entry:
        """One pass a cycle from cycle `first` on; gives the word that drives the sums."""
        passes = self.each(self.at(first).mxm(plane).abc("int8", activations))
        (op,) = passes.word
        return self.each(self.at(first + op.timing(self.c).d_func).mxm(plane).acc("int8", "pass", 0, sums))

    def store(self, source: Entry, name: str, stream: str) -> None:
        """Writes a stream that `source` drives to a slice that it passes, one word for every image."""
        self.each(self.at(arrival(source, f"MEM_{name}")).mem(name).write(0, stream, stride=1))

    def constant(self, slices: tuple[str, ...], stream: str, time: int) -> None:
        """The int32 constant of four slices on an SG4 from `stream` on, at the VXM from cycle `time` on."""
        direction, index = stream[0], int(stream[1:])
        for j, name in enumerate(slices):
            place = self.at(read_time(self.c, f"MEM_{name}", "VXM", time)).mem(name)
            self.each(place.read(self.c.bank_words + COLUMNS, f"{direction}{index + j}"))

    def each(self, entry: Entry) -> Entry:
        """Issues a word once for every image."""
        return entry.repeat(self.images - 1) if self.images > 1 else entry
