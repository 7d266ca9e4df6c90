"""One superlane of a MEM slice: two SRAM banks, READ, WRITE, GATHER and SCATTER."""

from amaranth.hdl import Array, Assert, Cat, Const, Format, Module, Mux, Print, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.lib.gate import Awake, longest
from hdl.lib.operands import Operands
from hdl.lib.sram import Sram
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, check_bits, data_bits
from hdl.lib.tap import Tap
from hdl.lib.word import fields
from sw.arch.config import Config
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.fields import width_of
from sw.isa.table import instruction

SKIP = 0xFFFF
"""Map offset with which GATHER reads zero and SCATTER writes nothing."""


class Access(wiring.Signature):
    """A host access to one tile, while no program runs."""

    def __init__(self, c: Config):
        super().__init__({
            "valid": Out(1),
            "write": Out(1),
            "addr": Out(width_of(c.mem.words)),
            "data": Out(data_bits(c)),
            "check": Out(check_bits(c)),
        })


class Tile(wiring.Component):
    """One superlane of a MEM slice.

    Members
    -------
    tap_0, tap_1, tap_2 : Out(Tap)
        Map of a GATHER, map of a SCATTER, word to store.
    valid, word : In
        The word in this tile's issue cycle; `valid` is low where the superlane is powered down.
    access : In(Access)
        Host access; its read data stands in `read_data`, `read_check` one cycle later.
    drive_0 : Out(Drive)
    corrected : Out(4), fault : Out(Fault)
        What the ECC of maps, the range check and the bank rule found in this cycle.

    With `sim`, reads of words that nobody wrote fail an assertion, and writes are printed as trace lines.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {
            "tap_0": Out(Tap(c, 2, sim)),
            "tap_1": Out(Tap(c, 2, sim)),
            "tap_2": Out(Tap(c, 1, sim)),
            "valid": In(1),
            "word": In(layout("MEM", c).bits),
            "access": In(Access(c)),
            "read_data": Out(data_bits(c)),
            "read_check": Out(check_bits(c)),
            "drive_0": Out(Drive(c, (1,))),
            "corrected": Out(4),
            "fault": Out(Fault),
        }
        if sim:
            members |= {"place": In(8), "superlane": In(8), "cycle": In(32)}
        super().__init__(members)

    @property
    def awake(self) -> Awake:
        return Awake((self.valid, self.access.valid), longest(self.config, "MEM"))

    def elaborate(self, platform):
        m = Module()
        read = self._class(m, "read", ("READ", "GATHER"))
        write = self._class(m, "write", ("WRITE", "SCATTER"))
        self._banks(m, read, write)
        return m

    def _class(self, m: Module, slot: str, names: tuple[str, str]) -> dict:
        """Address generation of one access class: what is accessed in this cycle, plain or through a map."""
        c = self.config
        f = fields(self.word, "MEM", slot, c)
        plain, mapped = (instruction(name).code for name in names)
        now, later = Signal(name=f"{slot}_now"), Signal(name=f"{slot}_later")
        m.d.comb += [now.eq(self.valid & (f["op"] == plain)), later.eq(self.valid & (f["op"] == mapped))]
        mapped_at = self._mapped(m, slot, f, later)
        clash = now & mapped_at["valid"]
        with m.If(clash):
            m.d.comb += self.fault.eq(Fault.BANK_CONFLICT)
        if self.sim:
            m.d.sync += Assert(~clash, "two accesses of one class met in one slice")
        return {
            "valid": (now | mapped_at["valid"]),
            "addr": Mux(now, f["addr"], mapped_at["addr"]),
            "stream": Mux(now, f["stream"], mapped_at["stream"]),
            "skip": mapped_at["valid"] & mapped_at["skip"] & ~now,
            "mapped": mapped_at,
            "now": now,
            "f": f,
        }

    def _mapped(self, m: Module, slot: str, f: dict, take: Signal) -> dict:
        """The map's way: taken and corrected, then added to the address and checked in the access cycle."""
        c = self.config
        tag = Cat(f["addr"], f["rows"], f["stream"])
        made = Operands(c, (2,), len(tag), self.sim)
        tap = self.tap_0 if slot == "read" else self.tap_1
        m.submodules[f"{slot}_map"] = unit = stamp(made, made.module, tap=tap)
        m.d.comb += [unit.take.eq(take), unit.code.eq(f["map"]), unit.tag.eq(tag)]
        addr = unit.out[: len(f["addr"])]
        rows = unit.out[len(f["addr"]) :][: len(f["rows"])]
        place = 0 if slot == "read" else 2
        m.d.comb += self.corrected[place : place + 2].eq(unit.corrected)
        width = data_bits(c)
        offset = Signal(16, name=f"{slot}_offset")
        m.d.comb += offset.eq(Cat(unit.words[:8], unit.words[width : width + 8]))
        skip = offset == SKIP
        outside = unit.valid & ~skip & (offset >= rows)
        with m.If(outside):
            m.d.comb += self.fault.eq(Fault.GATHER_RANGE)
        with m.If(unit.uncorrectable):
            m.d.comb += self.fault.eq(Fault.ECC)
        return {
            "valid": unit.valid,
            "addr": (addr + offset)[: len(addr)],
            "stream": unit.out[len(tag) - len(f["stream"]) :],
            "skip": skip | outside | unit.uncorrectable,
        }

    def _banks(self, m: Module, read: dict, write: dict) -> None:
        c, width, extra = self.config, data_bits(self.config), check_bits(self.config)
        access = self.access
        write_data, write_check = self._write_data(m, write)
        write_valid = (write["valid"] & ~write["skip"]) | (access.valid & access.write)
        write_addr = Mux(access.valid, access.addr, write["addr"])
        read_valid = read["valid"] | (access.valid & ~access.write)
        read_addr = Mux(access.valid, access.addr, read["addr"])

        side = Signal(reset_less=True)
        banks = []
        for k in range(2):
            m.submodules[f"bank_{k}"] = bank = stamp(Sram(c.bank_words, width + extra), "mem_bank")
            m.d.comb += [
                bank.read_en.eq(read_valid & (read_addr[-1] == k)),
                bank.read_addr.eq(read_addr[:-1]),
                bank.write_en.eq(write_valid & (write_addr[-1] == k)),
                bank.write_addr.eq(write_addr[:-1]),
                bank.write_data.eq(Cat(write_data, write_check)),
            ]
            banks.append(bank.read_data)
        with m.If(read_valid):
            m.d.sync += side.eq(read_addr[-1])
        m.d.comb += Cat(self.read_data, self.read_check).eq(Array(banks)[side])

        both = read["valid"] & ~read["skip"] & write["valid"] & ~write["skip"]
        clash = both & (read["addr"][-1] == write["addr"][-1])
        with m.If(clash):
            m.d.comb += self.fault.eq(Fault.BANK_CONFLICT)

        self._drive(m, read)
        if self.sim:
            m.d.sync += Assert(~clash, "a read and a write met in one bank")
            self._watch(m, read, write, write_valid, write_addr, write_data)

    def _write_data(self, m: Module, write: dict):
        """The word to store: from the stream now, from the pipe beside the map, or from the host."""
        c, f = self.config, write["f"]
        width, extra = data_bits(c), check_bits(c)
        taken = self.valid & (f["op"] != 0)
        tap = self.tap_2
        m.d.comb += [tap.take.eq(taken), tap.code.eq(f["stream"])]
        if self.sim:
            m.d.sync += Assert(~taken | tap.written, "a stream was read that nobody drove")
        held, held_check, valid = tap.data, tap.check, self.valid & (f["op"] == instruction("SCATTER").code)
        for stage in range(instruction("SCATTER").timing(c, {}).access):
            data_q = Signal(width, name=f"scatter_{stage}", reset_less=True)
            check_q = Signal(extra, name=f"scatter_check_{stage}", reset_less=True)
            valid_q = Signal(name=f"scatter_valid_{stage}")
            m.d.sync += valid_q.eq(valid)
            with m.If(valid):
                m.d.sync += [data_q.eq(held), check_q.eq(held_check)]
            held, held_check, valid = data_q, check_q, valid_q
        value = Mux(self.access.valid, self.access.data, Mux(write["now"], tap.data, held))
        check = Mux(self.access.valid, self.access.check, Mux(write["now"], tap.check, held_check))
        return value, check

    def _drive(self, m: Module, read: dict) -> None:
        c = self.config
        stream, zero = Signal(width_of(c.streams) + 1, reset_less=True), Signal(reset_less=True)
        valid = Signal()
        m.d.sync += valid.eq(read["valid"])
        with m.If(read["valid"]):
            m.d.sync += [stream.eq(read["stream"]), zero.eq(read["skip"])]
        m.d.comb += [
            self.drive_0.valid.eq(valid),
            self.drive_0.west.eq(stream[-1]),
            self.drive_0.stream.eq(stream[:-1]),
        ]
        with m.If(valid & ~zero):
            m.d.comb += [self.drive_0.data.eq(self.read_data), self.drive_0.check.eq(self.read_check)]

    def _watch(self, m: Module, read: dict, write: dict, write_valid, write_addr, write_data) -> None:
        """Simulation only: which words were ever written, and a trace line per write."""
        c = self.config
        m.submodules.known = known = Memory(shape=1, depth=c.mem.words, init=[])
        port, look = known.write_port(), known.read_port()
        m.d.comb += [port.en.eq(write_valid), port.addr.eq(write_addr), port.data.eq(Const(1))]
        m.d.comb += [look.en.eq(read["valid"]), look.addr.eq(read["addr"])]
        asked = Signal()
        m.d.sync += asked.eq(read["valid"] & ~read["skip"])
        m.d.sync += Assert(~asked | look.data, "a memory word was read that nobody wrote")
        with m.If(write["valid"] & ~write["skip"]):
            m.d.sync += Print(
                Format(
                    f"~W {{:d}} {{:d}} {{:d}} {{:d}} {{:0{data_bits(c) // 4}x}}",
                    self.cycle, self.place, write_addr, self.superlane, write_data,
                )
            )
