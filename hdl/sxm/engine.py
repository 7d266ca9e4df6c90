"""What all SXM engines have in common: a column of tiles, how operands enter it and how results leave."""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.lib.ecc import encode
from hdl.lib.issue import Issue, northward
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, Streams, data_bits
from hdl.lib.word import fields
from hdl.sxm.operands import Operands
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.codec import layout
from sw.isa.table import instruction


def queue_class(kind: str) -> str:
    """Queue class of the engines of a kind, such as `shift`."""
    return f"SXM_{kind.upper()}"


class Engine(wiring.Component):
    """A column of tiles, south to north, fed by one queue.

    Parameters
    ----------
    kind : str
        Kind of engine as the floorplan names it, such as `shift`.
    operands : int
        Most stream words that a tile takes in one cycle.
    sizes : tuple of int
        Group sizes that it drives.

    Members
    -------
    issue : In(Issue)
        The word at tile 0, in its issue cycle t; tile r acts at t + r.
    streams[r] : In(Streams)
        The stop's registers in superlane r.
    drive[r] : Out(Drive)
        The result in superlane r, in cycle t + r + d_func - 1.
    corrected[r] : Out(operands), uncorrectable[r] : Out(1)
        What the check of the operands found, in cycle t + r + 1.
    """

    def __init__(self, c: Config, kind: str, operands: int, sizes: tuple[int, ...], sim: bool):
        self.config, self.kind, self.operands, self.sizes, self.sim = c, kind, operands, sizes, sim
        super().__init__({
            "issue": In(Issue(c, queue_class(kind))),
            "streams": In(Streams(c, sim)).array(c.superlanes),
            "drive": Out(Drive(c, sizes)).array(c.superlanes),
            "corrected": Out(operands).array(c.superlanes),
            "uncorrectable": Out(1).array(c.superlanes),
        })

    def place(self, m: Module, make) -> list:
        """Stamps a tile for each superlane and connects issue, streams and checks; returns the tiles."""
        tiles = []
        for r, (valid, word) in enumerate(northward(m, self.config, self.issue)):
            m.submodules[f"tile_{r}"] = tile = stamp(make(self.config, self.sim), f"sxm_{self.kind}_tile")
            connect(m, flipped(self.streams[r]), tile.streams)
            m.d.comb += [
                tile.valid.eq(valid),
                tile.word.eq(word),
                self.corrected[r].eq(tile.corrected),
                self.uncorrectable[r].eq(tile.uncorrectable),
            ]
            tiles.append(tile)
        return tiles

    def drive_from(self, m: Module, tiles: list) -> None:
        """Connects the drives of the tiles."""
        for tile, drive in zip(tiles, self.drive, strict=True):
            connect(m, tile.drive, flipped(drive))


class Tile(wiring.Component):
    """One superlane of an engine; `valid` is low in a superlane without power. `more` are its own ports."""

    def __init__(self, c: Config, kind: str, operands: int, sim: bool, more: dict):
        self.config, self.kind, self.sim = c, kind, sim
        super().__init__({
            "valid": In(1),
            "word": In(layout(queue_class(kind), c).bits),
            "streams": In(Streams(c, sim)),
            "corrected": Out(operands),
            "uncorrectable": Out(1),
            **more,
        })

    def fields(self) -> dict[str, Value]:
        """Fields of the word."""
        return fields(self.word, queue_class(self.kind), self.kind, self.config)

    def issues(self, name: str) -> Value:
        """Whether the word is the instruction `name`."""
        return self.valid & (self.fields()["op"] == instruction(name).code)

    def take(
        self, m: Module, name: str, when: Value, code: Value, tag: Value, counts=(1,), size=0, place=0
    ) -> Operands:
        """Adds operands `name`, a group from stream `code` on; `place` is their first bit of `corrected`."""
        m.submodules[name] = operands = Operands(self.config, counts, len(tag), self.sim)
        connect(m, flipped(self.streams), operands.streams)
        m.d.comb += [
            operands.take.eq(when),
            operands.code.eq(code),
            operands.tag.eq(tag),
            self.corrected[place : place + max(counts)].eq(operands.corrected),
        ]
        if len(counts) > 1:
            m.d.comb += operands.size.eq(size)
        with m.If(operands.uncorrectable):
            m.d.comb += self.uncorrectable.eq(1)
        return operands


def drive_port(c: Config, sizes: tuple[int, ...]) -> dict:
    """The port of a tile that drives."""
    return {"drive": Out(Drive(c, sizes))}


def hand_over(m: Module, c: Config, drive, valid: Value, code: Value, words: Value) -> None:
    """Puts result words and their check bits on a drive, from stream `code` on (direction in its top bit)."""
    width = data_bits(c)
    m.d.comb += [
        drive.valid.eq(valid),
        drive.west.eq(code[-1]),
        drive.stream.eq(code[:-1]),
        drive.data.eq(words),
    ]
    if c.ecc.streams:
        with m.If(valid):
            checks = [encode(secded(width), words[k : k + width]) for k in range(0, len(words), width)]
            m.d.comb += drive.check.eq(Cat(checks))
