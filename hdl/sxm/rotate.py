"""ROTATE: all n rotations of n streams, within groups of n lanes, at once."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from hdl.lib.pipe import delay
from hdl.lib.stream import data_bits
from hdl.sxm.engine import Engine, Tile
from sw.arch.config import Config

#: n by the value of its field.
GROUPS = (3, 4)
SIZES = tuple(n * n for n in GROUPS)


class Rotate(Engine):
    """The engine; its members are those of a column."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, RotateTile(c, sim))


class RotateTile(Tile):
    """One superlane: result n*i + j is operand i, each whole group of n lanes rotated south by j."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, "rotate", (max(GROUPS),), SIZES, sim)

    def elaborate(self, platform):
        m = Module()
        width, word = data_bits(self.config), self.fields()
        when, tag = self.issues("ROTATE"), Cat(word["n"], word["dst"])
        source = self.take(m, "source", when, word["src"], tag, counts=GROUPS, size=word["n"])
        result = Signal(max(SIZES) * width, reset_less=True)
        with m.If(source.valid), m.Switch(source.out[0]):
            for index, n in enumerate(GROUPS):
                with m.Case(index):
                    operands = [source.words[i * width : (i + 1) * width] for i in range(n)]
                    m.d.sync += result.eq(Cat(self._rotated(x, n, j) for x in operands for j in range(n)))
        valid, tag = delay(m, source.valid, source.out, 1, "result")
        self.hand_over(m, valid, tag[1:], result)
        m.d.comb += self.drive_0.size.eq(tag[0])
        return m

    def _rotated(self, operand: Value, n: int, j: int) -> Value:
        lanes, whole = self.config.lanes, self.config.lanes // n * n
        origin = [lane - lane % n + (lane + j) % n for lane in range(whole)]
        return Cat(Cat(operand[8 * k : 8 * k + 8] for k in origin), Const(0, 8 * (lanes - whole)))
