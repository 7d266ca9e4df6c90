"""What all SXM engines have in common: a column with one queue, operands into tiles, results out of them."""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import Column
from hdl.lib.ecc import encode
from hdl.lib.gate import Awake, longest
from hdl.lib.issue import northward
from hdl.lib.operands import Operands
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, data_bits
from hdl.lib.tap import Tap
from hdl.lib.word import fields
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.table import instruction


class Tile(wiring.Component):
    """One superlane of an engine.

    Parameters
    ----------
    kind : str
        Kind of engine as the floorplan names it, such as `shift`.
    operands : tuple of int
        Most stream words that each of its taps takes in one cycle.
    sizes : tuple of int
        Group sizes that it drives.
    more : dict
        Ports of its own.

    Members
    -------
    tap_k : Out(Tap)
    valid, word : In
        The word in this tile's issue cycle t; `valid` is low where the superlane is powered down.
    drive_0 : Out(Drive)
        The result, in cycle t + d_func - 1.
    corrected : Out(sum(operands)), fault : Out(Fault)
        What the check of the operands found, in cycle t + 2.
    """

    def __init__(
        self, c: Config, kind: str, operands: tuple[int, ...], sizes: tuple[int, ...], sim: bool, more: dict | None = None
    ):
        self.config, self.kind, self.operands, self.sim = c, kind, operands, sim
        super().__init__({
            **{f"tap_{k}": Out(Tap(c, most, sim)) for k, most in enumerate(operands)},
            "valid": In(1),
            "word": In(layout(queue_class(kind), c).bits),
            "drive_0": Out(Drive(c, sizes)),
            "corrected": Out(sum(operands)),
            "fault": Out(Fault),
            **(more or {}),
        })

    @property
    def awake(self) -> Awake:
        return Awake((self.valid,), longest(self.config, queue_class(self.kind)))

    def fields(self) -> dict[str, Value]:
        """Fields of the word."""
        return fields(self.word, queue_class(self.kind), self.kind, self.config)

    def issues(self, name: str) -> Value:
        """Whether the word is the instruction `name`."""
        return self.valid & (self.fields()["op"] == instruction(name).code)

    def take(
        self, m: Module, name: str, when: Value, code: Value, tag: Value, counts=(1,), size=None, tap=0
    ) -> Operands:
        """Adds operands `name`, a group from stream `code` on, that come through a tap."""
        unit = Operands(self.config, counts, len(tag), self.sim)
        operands = stamp(unit, unit.module, tap=getattr(self, f"tap_{tap}"))
        place = sum(self.operands[:tap])
        m.submodules[name] = operands
        m.d.comb += [
            operands.take.eq(when),
            operands.code.eq(code),
            operands.tag.eq(tag),
            self.corrected[place : place + max(counts)].eq(operands.corrected),
        ]
        if size is not None:
            m.d.comb += operands.size.eq(size)
        with m.If(operands.uncorrectable):
            m.d.comb += self.fault.eq(Fault.ECC)
        return operands

    def hand_over(self, m: Module, valid: Value, code: Value, words: Value) -> None:
        """Drives result words and their check bits, from stream `code` on (direction in its top bit)."""
        drive, width = self.drive_0, data_bits(self.config)
        m.d.comb += [
            drive.valid.eq(valid),
            drive.west.eq(code[-1]),
            drive.stream.eq(code[:-1]),
            drive.data.eq(words),
        ]
        if self.config.ecc.streams:
            with m.If(valid):
                checks = [encode(secded(width), words[k : k + width]) for k in range(0, len(words), width)]
                m.d.comb += drive.check.eq(Cat(checks))


class Engine(Column):
    """The column of one engine: all that there is of it where tiles need nothing from each other."""

    def __init__(self, c: Config, tile: Tile):
        super().__init__(c, (queue_class(tile.kind),), tile)

    @property
    def awake(self) -> Awake:
        return Awake((self.issue_0.valid,), longest(self.config, self.classes[0]) + self.config.superlanes)

    def elaborate(self, platform):
        m = Module()
        self.issue_north(m)
        return m

    def issue_north(self, m: Module) -> None:
        """Moves words north to the tiles, and reports what these find."""
        for tile, (valid, word) in zip(self.tiles, northward(m, self.config, self.issue_0), strict=True):
            m.d.comb += [tile.valid.eq(valid), tile.word.eq(word)]
        corrected = [bit for tile in self.tiles for bit in tile.corrected]
        self.report(m, 0, corrected, [tile.fault for tile in self.tiles])


def queue_class(kind: str) -> str:
    """Queue class of the engines of a kind, such as `shift`."""
    return f"SXM_{kind.upper()}"
