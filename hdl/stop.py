"""One stop of one superlane: the stream registers that it drives, eastward and westward."""

from amaranth.hdl import Assert, Cat, Const, Format, Module, Mux, Print, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.bits import named
from hdl.lib.slots import overlay
from hdl.lib.stream import Drive, Streams, check_bits, data_bits
from sw.arch.config import Config


class Stop(wiring.Component):
    """Passes streams on, overwritten by what the units at this stop drive.

    Members
    -------
    here : In(Streams)
        The registers that the units at this stop see.
    drive_k : In(Drive)
        What unit k hands over; at most one may drive a register in a cycle.
    east, west : Out
        The registers of the next stop east (its eastward streams) and west (its westward streams), as flat data
        vectors; `east_check`, `west_check` beside them.
    conflict : Out(1)
        Two units drove one register in the cycle before.

    In simulation builds (`sim`) `east_written` and `west_written` follow who was ever driven, and every drive is printed as
    a trace line, with `place` (this stop), `superlane` and `cycle` given from outside.
    """

    def __init__(self, c: Config, drives: tuple[Drive, ...], sim: bool = False):
        self.config, self.drives, self.sim = c, drives, sim
        members = {"here": In(Streams(c, sim)), "conflict": Out(1)}
        members |= {f"drive_{k}": In(drive) for k, drive in enumerate(drives)}
        for side in ("east", "west"):
            members[side] = Out(c.streams * data_bits(c))
            members[f"{side}_check"] = Out(c.streams * check_bits(c))
            if sim:
                members[f"{side}_written"] = Out(c.streams)
        if sim:
            members |= {"place": In(8), "superlane": In(8), "cycle": In(32)}
        super().__init__(members)

    @property
    def outward(self) -> list[str]:
        """Names of the registers that it drives."""
        return [side + suffix for side in ("east", "west") for suffix in ("", "_check", "_written")[: 2 + self.sim]]

    def elaborate(self, platform):
        m = Module()
        groups = [self._group(m, k) for k in range(len(self.drives))]
        for west, side in enumerate(("east", "west")):
            self._direction(m, west, side, groups)
        if len(self.drives) > 1:
            self._conflicts(m)
        return m

    def _group(self, m: Module, k: int) -> list[tuple]:
        """The places of drive k's largest aligned group: number, whether the drive covers it, and words by suffix."""
        kind, drive, group = self.drives[k], getattr(self, f"drive_{k}"), []
        low = (kind.most - 1).bit_length()
        for j in range(1 << low):
            covers, sources = [], {}
            for index, count in enumerate(kind.sizes):
                bits = (count - 1).bit_length()
                if (number := j % (1 << bits)) < count:
                    aligned = drive.stream[bits:low] == j >> bits if bits < low else Const(1)
                    covers.append(kind.chosen(drive, index) & aligned)
                    sources.setdefault(number, []).append(kind.chosen(drive, index))
            if covers:
                words = {"_written": Const(1)}
                for suffix, width in (("", data_bits(self.config)), ("_check", check_bits(self.config))):
                    vector = getattr(drive, suffix.strip("_") or "data")
                    (first, _), *others = sources.items()
                    word = vector.word_select(first, width)
                    for number, chosen in others:
                        word = Mux(Cat(chosen).any(), vector.word_select(number, width), word)
                    words[suffix] = named(m, f"word_{k}_{j}{suffix}", word) if others else word
                group.append((j, Cat(covers).any(), words))
        return group

    def _direction(self, m: Module, west: int, side: str, groups: list[list[tuple]]) -> None:
        """Lays every unit's results over what stands here."""
        widths = {"": data_bits(self.config), "_check": check_bits(self.config), "_written": 1}
        entries = {suffix: [] for suffix in widths}
        for k, kind in enumerate(self.drives):
            drive = getattr(self, f"drive_{k}")
            here = Signal(name=f"{side}_{k}")
            m.d.comb += here.eq(drive.valid & (drive.west == west))
            for j, covered, words in groups[k]:
                # groups are aligned, so that the low bits of place j's stream are known
                low = (kind.most - 1).bit_length()
                slot = Cat(Const(j, low), drive.stream[low:])
                for suffix in widths:
                    entries[suffix].append((here & covered, slot, words[suffix]))
            if self.sim:
                with m.If(here):
                    self._trace(m, west, kind, drive)
        for suffix in ("", "_check", "_written")[: 2 + self.sim]:
            placed = overlay(m, f"{side}{suffix}_next", getattr(self.here, side + suffix), entries[suffix])
            m.d.comb += getattr(self, side + suffix).eq(placed)

    def _trace(self, m: Module, west: int, kind: Drive, drive) -> None:
        width = data_bits(self.config)
        register = self.place - 1 if west else self.place + 1
        for index, count in enumerate(kind.sizes):
            with m.If(kind.chosen(drive, index)):
                for k in range(count):
                    m.d.sync += Print(
                        Format(
                            f"~D {{:d}} {{:d}} {{:d}} {{:d}} {{:0{width // 4}x}}",
                            self.cycle + 1,
                            register.as_signed(),
                            drive.stream + (k + west * self.config.streams),
                            self.superlane,
                            drive.data[k * width : (k + 1) * width],
                        )
                    )

    def _conflicts(self, m: Module) -> None:
        """Marks the streams that each unit drives; a stream marked twice is a conflict."""
        c = self.config
        taken, clashes = None, []
        for k, kind in enumerate(self.drives):
            drive = getattr(self, f"drive_{k}")
            marks = Signal(2 * c.streams, name=f"marks_{k}")
            with m.If(drive.valid):
                for index, count in enumerate(kind.sizes):
                    with m.If(kind.chosen(drive, index)):
                        ones = Const((1 << count) - 1, 2 * c.streams)
                        m.d.comb += marks.eq(ones << Cat(drive.stream, drive.west))
            if taken is not None:
                clashes.append((taken & marks).any())
            taken = marks if taken is None else taken | marks
        found = Cat(clashes).any()
        m.d.sync += self.conflict.eq(found)
        if self.sim:
            m.d.sync += Assert(~found, "two units drove one stream register in one cycle")
