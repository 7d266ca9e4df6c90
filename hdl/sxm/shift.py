"""SHIFT: moves a vector up to `lanes` lanes north or south across superlanes; a map may choose by lane."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hdl.lib.pipe import delay
from hdl.lib.stream import data_bits
from hdl.sxm.engine import Engine, Tile
from sw.arch.config import Config
from sw.isa.fields import SHIFT_MODES

NORTH, SOUTH, SELECT = range(len(SHIFT_MODES))
#: Entries of the select map.
OWN, MOVED_NORTH, MOVED_SOUTH, ZERO = range(4)


class Shift(Engine):
    """The engine; its members are those of a column. A reset of the domain clears the select maps."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, ShiftTile(c, sim))

    def elaborate(self, platform):
        m = Module()
        self.issue_north(m)
        for south, north in zip(self.tiles, self.tiles[1:], strict=False):
            m.d.comb += [north.from_south.eq(south.to_north), south.from_north.eq(north.to_south)]
        return m


class ShiftTile(Tile):
    """One superlane.

    The words of both neighbours arrive in the cycle of the shift: the south's, corrected a cycle before this
    tile's, is held for two cycles; the north's comes as it is corrected. A neighbour without power, or beyond
    the edge, gives zero.
    """

    def __init__(self, c: Config, sim: bool = False):
        ports = {side: In(data_bits(c)) for side in ("from_south", "from_north")}
        ports |= {side: Out(data_bits(c)) for side in ("to_south", "to_north")}
        super().__init__(c, "shift", (1,), (1,), sim, ports)

    def elaborate(self, platform):
        m = Module()
        c, width, word = self.config, data_bits(self.config), self.fields()
        shift, load = self.issues("SHIFT"), self.issues("SELECT_MAP")
        control = data.StructLayout({"load": 1} | {name: len(word[name]) for name in ("mode", "n", "dst")})
        tag = Cat(load, word["mode"], word["n"], word["dst"])
        source = self.take(m, "source", shift | load, word["src"], tag)
        valid, own = delay(m, source.valid, source.words, 1, "own")
        _, tag = delay(m, source.valid, source.out, 1, "tag")
        now = control(tag)
        passed_valid, passed = delay(m, valid, own, 1, "passed")
        with m.If(source.valid):
            m.d.comb += self.to_south.eq(source.words)
        with m.If(passed_valid):
            m.d.comb += self.to_north.eq(passed)

        choice = Signal(2 * c.lanes)
        result = Signal(width, reset_less=True)
        north, south = Signal(width), Signal(width)
        with m.If(valid & now.load):
            for lane in range(c.lanes):
                byte = own[8 * lane : 8 * lane + 8]
                m.d.sync += choice[2 * lane : 2 * lane + 2].eq(Mux(byte[2:].any(), ZERO, byte[:2]))
        with m.Elif(valid):
            with m.Switch(now.n):
                for lanes in range(c.lanes + 1):
                    with m.Case(lanes):
                        m.d.comb += [
                            north.eq(Cat(self.from_south, own)[8 * (c.lanes - lanes) :][:width]),
                            south.eq(Cat(own, self.from_north)[8 * lanes :][:width]),
                        ]
            with m.Switch(now.mode):
                with m.Case(NORTH):
                    m.d.sync += result.eq(north)
                with m.Case(SOUTH):
                    m.d.sync += result.eq(south)
                with m.Case(SELECT):
                    for lane in range(c.lanes):
                        part = slice(8 * lane, 8 * lane + 8)
                        with m.Switch(choice[2 * lane : 2 * lane + 2]):
                            with m.Case(OWN):
                                m.d.sync += result[part].eq(own[part])
                            with m.Case(MOVED_NORTH):
                                m.d.sync += result[part].eq(north[part])
                            with m.Case(MOVED_SOUTH):
                                m.d.sync += result[part].eq(south[part])
                            with m.Default():
                                m.d.sync += result[part].eq(0)
        valid, dst = delay(m, valid & ~now.load, now.dst, 1, "result")
        self.hand_over(m, valid, dst, result)
        return m

