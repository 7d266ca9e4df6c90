"""One superlane's operands: weights and activations off the streams, checked, unpacked and sent to its supercells."""

from amaranth.hdl import Assert, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.operands import Operands
from hdl.lib.pipe import delay
from hdl.lib.stream import data_bits
from hdl.lib.tap import Tap
from hdl.lib.word import fields
from hdl.mxm.fp16 import classes, unpack
from hdl.mxm.shape import MANTISSA_BITS, MAX_LOAD, SHIFT_BITS, Broadcast, Shape
from sw.arch.config import Config
from sw.isa.codec import layout
from sw.isa.stages import latch
from sw.isa.table import instruction

HOLD = instruction("ABC_HOLD").code


def most_weights(c: Config) -> int:
    """Most streams of weights that one instruction takes."""
    return min(MAX_LOAD, c.streams, c.lanes << Shape.of(c).fp16)


class PlaneOperands(wiring.Component):
    """One superlane of the weight and activation queues.

    Members
    -------
    weights, activations : Out(Tap)
    load_valid, load_word
        The word of the weight queue here, if this superlane is powered.
    pass_valid, pass_powered, pass_word
        The word of the activation queue here; an unpowered superlane lets the chain pass by.
    row : Broadcast
    weights_corrected, weights_lost, activations_corrected, activations_lost
        What the SECDED checks find in this cycle; a bit of `corrected` for each word.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        self.shape = Shape.of(c)
        self.load_sizes = tuple(1 << n for n in range(most_weights(c).bit_length()))
        super().__init__({
            "weights": Out(Tap(c, most_weights(c), sim)),
            "activations": Out(Tap(c, 1 << self.shape.fp16, sim)),
            "load_valid": In(1),
            "load_word": In(layout("MXM_W", c).bits),
            "pass_valid": In(1),
            "pass_powered": In(1),
            "pass_word": In(layout("MXM_A", c).bits),
            "row": Out(Broadcast(self.shape)),
            "weights_corrected": Out(self.load_sizes[-1]),
            "weights_lost": Out(1),
            "activations_corrected": Out(1 + self.shape.fp16),
            "activations_lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        self._weights(m)
        self._activations(m)
        return m

    def _weights(self, m: Module) -> None:
        c, shape, row = self.config, self.shape, self.row
        sizes = self.load_sizes
        word = fields(self.load_word, "MXM_W", "load", c)
        install = fields(self.load_word, "MXM_W", "install", c)["op"].any()

        tag = Cat(word["col"], word["n"], word["dtype"])
        m.submodules.load = load = Operands(c, sizes, len(tag), self.sim)
        m.d.comb += [
            load.take.eq(self.load_valid & word["op"].any()),
            load.code.eq(word["stream"]),
            load.size.eq(word["n"]),
            load.tag.eq(tag),
            self.weights_corrected.eq(load.corrected),
            self.weights_lost.eq(load.uncorrectable),
        ]
        wiring.connect(m, wiring.flipped(self.weights), load.tap)

        lane_bits = (shape.lanes - 1).bit_length()
        position, block = load.out[:lane_bits], load.out[lane_bits : len(word["col"])]
        kind = load.out[len(word["col"]) :]
        columns = {fp16: self._columns(m, load.words, load.valid, fp16) for fp16 in self._types()}
        with m.If(load.valid):
            m.d.comb += [row.block.eq(1 << block), row.load_fp16.eq(kind[-1])]
            with m.Switch(kind):
                for n, size in enumerate(sizes):
                    for fp16 in self._types():
                        count, bits = size >> fp16, len(columns[fp16][0])
                        if 1 <= count <= shape.lanes:
                            with m.Case(n | fp16 << len(word["n"])):
                                for k in range(shape.lanes):
                                    here = position[count.bit_length() - 1 :] == k // count
                                    m.d.comb += row.columns[k].eq(here)
                                for k in range(shape.load_slots if fp16 else shape.lanes):
                                    m.d.comb += row.load.word_select(k, bits).eq(columns[fp16][k % count])
        # The buffer holds the columns of this very word one cycle after they are on the load lines.
        _, installing = delay(m, 1, self.load_valid & install, latch(c) + 1, "install")
        m.d.comb += row.install.eq(installing)

    def _types(self) -> tuple[bool, ...]:
        """The types that are built: whether each is fp16."""
        return (False,) * self.shape.int8 + (True,) * self.shape.fp16

    def _columns(self, m: Module, words: Value, valid: Value, fp16: bool) -> list[Signal]:
        """The columns that a load can bring: bytes, or elements of the array."""
        shape, width = self.shape, data_bits(self.config)
        bits = shape.element_bits if fp16 else 8
        columns = []
        for j in range(shape.load_slots if fp16 else min(self.load_sizes[-1], shape.lanes)):
            column = Signal(shape.lanes * bits, name=f"{'fp16' if fp16 else 'int8'}_column_{j}")
            streams = [words[s * width :][:width] for s in range(j << fp16, (j + 1) << fp16)]
            for k in range(shape.lanes):
                stacked = Cat(stream.word_select(k, 8) for stream in streams)
                with m.If(valid):
                    m.d.comb += column.word_select(k, bits).eq(unpack(stacked) if fp16 else stacked)
            columns.append(column)
        return columns

    def _activations(self, m: Module) -> None:
        c, shape, row = self.config, self.shape, self.row
        word = fields(self.pass_word, "MXM_A", "pass", c)
        valid = self.pass_valid & word["op"].any()
        sizes = tuple(1 << fp16 for fp16 in (False, True) if (shape.fp16 if fp16 else shape.int8))
        m.submodules.activations = load = Operands(c, sizes, 1, self.sim)
        if len(sizes) > 1:
            m.d.comb += load.size.eq(word["dtype"])
        m.d.comb += [
            load.take.eq(valid & self.pass_powered & (word["op"] != HOLD)),
            load.code.eq(word["stream"]),
            self.activations_corrected.eq(load.corrected),
            self.activations_lost.eq(load.uncorrectable),
        ]
        wiring.connect(m, wiring.flipped(self.activations), load.tap)

        starts = Cat(valid & self.pass_powered, valid & ~self.pass_powered)
        begins = self._after_latch(m, starts, "any").any() if shape.fp16 and self.sim else None
        if shape.int8:
            m.d.comb += row.int8.eq(load.words)
            go, skip = self._after_latch(m, Mux(word["dtype"] == 0, starts, 0), "int8")
            m.d.comb += row.int8_sum.eq(go)
            m.d.sync += [row.int8_add.eq(go), row.int8_skip.eq(skip)]
        if shape.fp16:
            go, skip = self._after_latch(m, Mux(word["dtype"] == 1, starts, 0), "fp16")
            self._phases(m, load.words, go, skip, begins)

    def _after_latch(self, m: Module, starts: Value, name: str) -> Value:
        """Starts of passes (powered, not powered) when their operands are at hand."""
        return delay(m, 1, starts, latch(self.config), name)[1]

    def _phases(self, m: Module, words: Value, go: Value, skip: Value, begins: Value | None) -> None:
        """The cycles of an fp16 pass: `interval` of them, each with its part of the activations. `begins`, in simulation
        builds, is high in the first cycle of a pass of any type."""
        shape, row, width = self.shape, self.row, data_bits(self.config)
        goes, skips = [go], [skip]
        for p in range(1, shape.interval):
            for starts, name in ((goes, "go"), (skips, "skip")):
                later = Signal(name=f"fp16_{name}_{p}")
                m.d.sync += later.eq(starts[-1])
                starts.append(later)
        if self.sim:
            inside, split = Cat(goes[1:], skips[1:]).any(), Cat(goes[:-1]).any()
            m.d.sync += Assert(~(begins & inside), "a pass began inside an fp16 pass")
            m.d.sync += Assert(~(row.install & split), "weights changed inside an fp16 pass")
        sum_skip = Signal()
        m.d.sync += [
            row.fp16_sum.eq(Cat(goes).any()),
            row.fp16_add.eq(row.fp16_sum),
            sum_skip.eq(Cat(skips).any()),
            row.fp16_skip.eq(sum_skip),
        ]
        m.d.comb += row.fp16_multiply.eq(Cat(goes).any())
        for p, start in enumerate(goes):
            with m.If(start):
                m.d.comb += row.phase.eq(p)
        for k in range(shape.rows):
            bits, element = Signal(16, name=f"bits_{k}"), Signal(MANTISSA_BITS + SHIFT_BITS, name=f"element_{k}")
            for p, start in enumerate(goes):
                lane = p * shape.rows + k
                with m.If(start):
                    m.d.comb += bits.eq(Cat(words.word_select(lane, 8), words[width:].word_select(lane, 8)))
            mantissa, shift = element[:MANTISSA_BITS], element[MANTISSA_BITS:]
            m.d.comb += [
                element.eq(unpack(bits)),
                row.mantissa.word_select(k, MANTISSA_BITS).eq(mantissa),
                row.shift.word_select(k, SHIFT_BITS).eq(shift),
                Cat(row.nan[k], row.infinite[k], row.zero[k]).eq(Cat(classes(mantissa, shift))),
            ]
        m.d.comb += row.special.eq((row.nan | row.infinite).any())
