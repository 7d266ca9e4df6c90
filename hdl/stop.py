"""One stop of one superlane: the stream registers that it drives, eastward and westward."""

from amaranth.hdl import Assert, Format, Module, Mux, Print, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

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

    def elaborate(self, platform):
        m = Module()
        for west, side in enumerate(("east", "west")):
            self._direction(m, west, side)
        if len(self.drives) > 1:
            self._conflicts(m)
        return m

    def _direction(self, m: Module, west: int, side: str) -> None:
        c, width, extra = self.config, data_bits(self.config), check_bits(self.config)
        data = Signal(c.streams * width, name=f"{side}_next")
        check = Signal(c.streams * extra, name=f"{side}_check_next")
        written = Signal(c.streams, name=f"{side}_written_next")
        m.d.comb += [data.eq(getattr(self.here, side)), check.eq(getattr(self.here, f"{side}_check"))]
        if self.sim:
            m.d.comb += written.eq(getattr(self.here, f"{side}_written"))
        for k, kind in enumerate(self.drives):
            drive = getattr(self, f"drive_{k}")
            with m.If(drive.valid & (drive.west == west)):
                for count, first in self._cases(m, kind, drive):
                    m.d.comb += [
                        data[first * width : (first + count) * width].eq(drive.data),
                        check[first * extra : (first + count) * extra].eq(drive.check),
                    ]
                    if self.sim:
                        m.d.comb += written[first : first + count].eq(~0)
                if self.sim:
                    self._trace(m, west, kind, drive)
        outputs = [(side, data), (f"{side}_check", check)] + ([(f"{side}_written", written)] if self.sim else [])
        for name, value in outputs:
            register = Signal(len(value), name=f"{name}_q", reset_less=name != f"{side}_written")
            m.d.sync += register.eq(value)
            m.d.comb += getattr(self, name).eq(register)

    def _cases(self, m: Module, kind: Drive, drive):
        """Enters, one after the other, the cases of a drive: (streams driven, first stream)."""
        for index, count in enumerate(kind.sizes):
            chosen = drive.size == index if len(kind.sizes) > 1 else drive.valid
            with m.If(chosen), m.Switch(drive.stream):
                for first in kind.starts(self.config, count):
                    with m.Case(first):
                        yield count, first

    def _trace(self, m: Module, west: int, kind: Drive, drive) -> None:
        width = data_bits(self.config)
        register = self.place - 1 if west else self.place + 1
        for index, count in enumerate(kind.sizes):
            chosen = drive.size == index if len(kind.sizes) > 1 else drive.valid
            with m.If(chosen):
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
        taken, clash = None, []
        for k, kind in enumerate(self.drives):
            drive = getattr(self, f"drive_{k}")
            marks = Signal(2 * c.streams, name=f"marks_{k}")
            with m.If(drive.valid):
                for count, first in self._cases(m, kind, drive):
                    ones = (1 << count) - 1
                    m.d.comb += marks.eq(Mux(drive.west, ones << (first + c.streams), ones << first))
            if taken is not None:
                clash.append((taken & marks).any())
            taken = marks if taken is None else taken | marks
        found = Signal()
        for one in clash:
            found = found | one
        m.d.sync += self.conflict.eq(found)
        if self.sim:
            m.d.sync += Assert(~found, "two units drove one stream register in one cycle")
