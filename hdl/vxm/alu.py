"""One ALU in one superlane: operands from streams, chain and immediate, the lanes, and the result's ways out."""

from amaranth.hdl import Array, Assert, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.ecc import encode
from hdl.lib.gate import Awake, longest
from hdl.lib.operands import Operands
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, data_bits
from hdl.lib.tap import Tap
from hdl.lib.word import fields
from hdl.vxm.lanes import Lanes
from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.rows.vxm import IMM, NEXT, PREV, STAGES, STREAM, VXM, alu_class
from sw.isa.stages import latch
from sw.isa.table import TABLE, instruction

SIZES = (1, 2, 4)
"""Streams of an element of 8, 16 and 32 bits."""
OPERAND_WORDS = 2 * max(SIZES)
"""Most stream words that the operands a and b take in one cycle."""


class Alu(wiring.Component):
    """ALU number `alu` of the vector unit, one superlane.

    Members
    -------
    valid, word : In
        The word in this superlane's issue cycle.
    tap_a, tap_b : Out(Tap)
    prev, next : In
        Result registers of ALU-1 and ALU+1, 32 bits a lane.
    result : Out
        This ALU's result register.
    drive : Out(Drive)
    corrected : Out(OPERAND_WORDS), fault : Out(Fault)
        What the check of the operands found, a bit a word, and whether two results leave in this cycle.
    """

    def __init__(self, c: Config, alu: int, sim: bool = False):
        self.config, self.sim = c, sim
        self.floats, self.specials = alu in c.vxm.float_alus, alu in c.vxm.special_alus
        # Every ALU can name all streams; its row decides which it reaches.
        super().__init__({
            "valid": In(1),
            "word": In(layout("VXM", c).bits),
            "tap_a": Out(Tap(c, max(SIZES), sim)),
            "tap_b": Out(Tap(c, max(SIZES), sim)),
            "prev": In(32 * c.lanes),
            "next": In(32 * c.lanes),
            "result": Out(32 * c.lanes),
            "drive": Out(Drive(c, SIZES)),
            "corrected": Out(OPERAND_WORDS),
            "fault": Out(Fault),
        })

    @property
    def awake(self) -> Awake:
        return Awake((self.valid,), longest(self.config, "VXM"))

    @property
    def kind(self) -> str:
        """Names what this ALU can do."""
        return Lanes(self.config.lanes, self.floats, self.specials).kind

    def elaborate(self, platform):
        m = Module()
        c = self.config
        word = fields(self.word, "VXM", "alu", c)
        operands = {letter: self._operand(m, word, letter) for letter in "ab"}
        m.d.comb += self.corrected.eq(Cat(operand.corrected for operand in operands.values()))
        with m.If(Cat(operand.uncorrectable for operand in operands.values()).any()):
            m.d.comb += self.fault.eq(Fault.ECC)
        valid, kept = self.valid, word
        for k in range(latch(c)):
            valid, kept = _later(m, valid, kept, k)

        lanes = Lanes(c.lanes, self.floats, self.specials)
        m.submodules.lanes = unit = stamp(lanes, f"vxm_lanes_{lanes.kind}")
        m.d.comb += [
            unit.valid.eq(valid),
            unit.op.eq(kept["op"]),
            unit.dtype.eq(kept["dtype"]),
            unit.to.eq(kept["to"]),
            unit.modular.eq(kept["overflow"]),
            unit.a.eq(self._source(m, "a", kept, operands["a"].words)),
            unit.b.eq(self._source(m, "b", kept, operands["b"].words)),
        ]
        chosen = Mux(kept["m_from"], self.next, self.prev)
        m.d.comb += unit.mask.eq(Cat(chosen[32 * k] for k in range(c.lanes)))
        m.d.comb += self.result.eq(unit.result)
        self._way_out(m, valid, kept, unit)
        return m

    def _operand(self, m: Module, word, letter: str):
        """Takes operand `letter` from the streams, if the word has it there."""
        made = Operands(self.config, SIZES, 0, self.sim)
        tap = getattr(self, f"tap_{letter}")
        m.submodules[f"operand_{letter}"] = operand = stamp(made, made.module, tap=tap)
        has = Const(1) if letter == "a" else ~word["op"].matches(*(i.code for i in VXM if "b" not in i.fields))
        m.d.comb += [
            operand.take.eq(self.valid & (word["op"] != 0) & (word[f"{letter}_from"] == STREAM) & has),
            operand.code.eq(word[letter]),
            operand.size.eq(Array([SIZES.index(t.streams) for t in DType])[word["dtype"]]),
        ]
        return operand

    def _source(self, m: Module, letter: str, word, streamed: Value) -> Signal:
        """The operand in every lane, from where the word says; the lane extends it to 32 bits as its type says."""
        c, width = self.config, data_bits(self.config)
        value = Signal(32 * c.lanes, name=f"{letter}_value")
        bytes_of_lanes = [streamed[s * width + 8 * k :][:8] for k in range(c.lanes) for s in range(4)]
        with m.Switch(word[f"{letter}_from"]):
            with m.Case(STREAM):
                m.d.comb += value.eq(Cat(bytes_of_lanes))
            with m.Case(PREV):
                m.d.comb += value.eq(self.prev)
            with m.Case(NEXT):
                m.d.comb += value.eq(self.next)
            with m.Case(IMM):
                m.d.comb += value.eq(word["imm"].replicate(c.lanes))
        return value

    def _way_out(self, m: Module, valid, word, unit) -> None:
        """Follows every operation to its result: where it goes, and that only one comes in a cycle."""
        c = self.config
        result_type = Mux(word["op"] == instruction("CONVERT").code, word["to"], word["dtype"])
        size = Array([SIZES.index(t.streams) for t in DType])[result_type]
        ends = []
        for name in ("simple", "float", "special"):
            starts = valid & self._in_class(word, name)
            state = (starts, word["out"], word["dst"], size)
            for k in range(STAGES[name]):
                state = _shifted(m, f"{name}_{k}", state)
            ends.append(state)
        due = [end[0] for end in ends]
        clash = (due[0] & due[1]) | (due[0] & due[2]) | (due[1] & due[2])
        with m.If(clash):
            m.d.comb += self.fault.eq(Fault.RESULT_CONFLICT)
        if self.sim:
            m.d.sync += Assert(~clash, "two results left one ALU in one cycle")
        out, dst, size = (
            Mux(due[2], ends[2][k], Mux(due[1], ends[1][k], ends[0][k])) for k in (1, 2, 3)
        )
        drive = self.drive
        m.d.comb += drive.valid.eq((due[0] | due[1] | due[2]) & out)
        with m.If(drive.valid):
            m.d.comb += [drive.west.eq(dst[-1]), drive.stream.eq(dst[:-1]), drive.size.eq(size)]
            words = [
                Cat(unit.result[32 * k + 8 * s : 32 * k + 8 * s + 8] for k in range(c.lanes)) for s in range(4)
            ]
            m.d.comb += drive.data.eq(Cat(words))
            if c.ecc.streams:
                driven = [drive.data.word_select(k, data_bits(c)) for k in range(len(words))]
                m.d.comb += drive.check.eq(Cat(encode(secded(data_bits(c)), one) for one in driven))

    def _in_class(self, word, name: str):
        """Whether the word's operation runs in this class of pipelines."""
        hits = []
        for instr in TABLE:
            if instr.cls != "VXM":
                continue
            types = [t for t in DType if alu_class(instr.name, t) == name]
            if types:
                hit = word["op"] == instr.code
                hits.append(hit if len(types) == len(DType) else hit & word["dtype"].matches(*types))
        return Cat(hits).any()


def _later(m: Module, valid, word, k: int):
    """The word one cycle later, kept only while valid."""
    valid_q = Signal(name=f"valid_{k}")
    m.d.sync += valid_q.eq(valid)
    kept = {name: Signal(len(value), name=f"{name}_{k}", reset_less=True) for name, value in word.items()}
    with m.If(valid):
        m.d.sync += [kept[name].eq(value) for name, value in word.items()]
    return valid_q, kept


def _shifted(m: Module, name: str, state):
    valid, *values = state
    valid_q = Signal(name=f"{name}_valid")
    m.d.sync += valid_q.eq(valid)
    kept = [Signal(len(value), name=f"{name}_{k}", reset_less=True) for k, value in enumerate(values)]
    with m.If(valid):
        m.d.sync += [register.eq(value) for register, value in zip(kept, values, strict=True)]
    return (valid_q, *kept)


