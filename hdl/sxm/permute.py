"""PERMUTE: every lane of the vector takes the lane of the vector that the map names.

All superlanes are delayed to the last one's time, so that the whole vector is there at once; the results are
delayed again, so that they leave in the stagger. A map takes the same way, which keeps the order of issue.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.sxm.engine import Engine, Tile
from sw.arch.config import Config
from sw.isa.fields import width_of


def row_layout(c: Config) -> data.StructLayout:
    """One superlane on its way to the permutation: a word of the source, or of a map (`load`).

    An entry is a byte, or an index in which VL stands for every greater one too.
    """
    entry = max(8, width_of(c.vl + 1))
    return data.StructLayout({
        "load": 1,
        "dst": width_of(c.streams) + 1,
        "entries": data.ArrayLayout(entry, c.lanes),
    })


class Permute(Engine):
    """The engine; its members are those of a column. A reset of the domain clears the map: lane 0 for all."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, PermuteTile(c, sim))

    def elaborate(self, platform):
        m = Module()
        c, width = self.config, data_bits(self.config)
        vector = Signal(8 * c.vl)
        self.issue_north(m)
        for r, tile in enumerate(self.tiles):
            valid, row = delay(m, tile.row_valid, tile.row.as_value(), c.superlanes - 1 - r, f"deskew_{r}")
            with m.If(valid):
                word = Cat(entry[:8] for entry in row_layout(c)(row).entries)
                m.d.comb += vector[r * width : (r + 1) * width].eq(word)
            m.submodules[f"picker_{r}"] = picker = stamp(Picker(c), "sxm_permute_picker")
            m.d.comb += [picker.valid.eq(valid), picker.row.eq(row), picker.vector.eq(vector)]
            valid, result = delay(m, picker.result_valid, Cat(picker.result, picker.dst), r, f"skew_{r}")
            m.d.comb += [tile.result_valid.eq(valid), Cat(tile.result, tile.dst).eq(result)]
        return m


class PermuteTile(Tile):
    """Gives one superlane's word of a source or map to the column, and drives the result from there."""

    def __init__(self, c: Config, sim: bool = False):
        ports = {
            "row_valid": Out(1),
            "row": Out(row_layout(c)),
            "result_valid": In(1),
            "result": In(data_bits(c)),
            "dst": In(width_of(c.streams) + 1),
        }
        super().__init__(c, "permute", (2,), (1,), sim, ports)

    def elaborate(self, platform):
        m = Module()
        c, word = self.config, self.fields()
        permute, load = self.issues("PERMUTE"), self.issues("MAP")
        tag = Cat(load, word["dst"])
        source = self.take(m, "source", permute | load, word["src"], tag, counts=(1, 2), size=load)
        m.d.comb += [
            self.row_valid.eq(source.valid),
            self.row.load.eq(source.out[0]),
            self.row.dst.eq(source.out[1:]),
        ]
        for lane, entry in enumerate(self.row.entries):
            low, high = (source.words[k * data_bits(c) + 8 * lane :][:8] for k in range(2))
            # without a map the high byte is zero
            index = Cat(low, high)
            m.d.comb += entry.eq(Mux(source.out[0] & (index > c.vl), c.vl, index))
        self.hand_over(m, self.result_valid, self.dst, self.result)
        return m


class Picker(wiring.Component):
    """Keeps the map of one superlane and takes its lanes from the vector.

    Members
    -------
    valid, row : In
        The superlane's own word; a map is in force for the words after it.
    vector : In(8 * VL)
        Of all superlanes; zero where there is no power.
    result_valid, result, dst : Out
        One cycle later, unless the word was a map.
    """

    def __init__(self, c: Config):
        self.config = c
        super().__init__({
            "valid": In(1),
            "row": In(row_layout(c)),
            "vector": In(8 * c.vl),
            "result_valid": Out(1),
            "result": Out(data_bits(c)),
            "dst": Out(width_of(c.streams) + 1),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        index = Signal(data.ArrayLayout(width_of(c.vl + 1), c.lanes))
        result = Signal(data_bits(c), reset_less=True)
        with m.If(self.valid & self.row.load):
            m.d.sync += [index[lane].eq(self.row.entries[lane]) for lane in range(c.lanes)]
        with m.Elif(self.valid):
            for lane in range(c.lanes):
                m.d.sync += result[8 * lane : 8 * lane + 8].eq(self.vector.word_select(index[lane], 8))
        valid, dst = delay(m, self.valid & ~self.row.load, self.row.dst, 1, "result")
        m.d.comb += [self.result_valid.eq(valid), self.result.eq(result), self.dst.eq(dst)]
        return m
