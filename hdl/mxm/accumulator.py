"""One superlane of ACC: accumulator rows, int32 and fp32 addition, and the way out to a stream."""

from amaranth.hdl import Assert, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.ecc import decode, encode
from hdl.lib.fp32_add import Fp32Add
from hdl.lib.pipe import delay
from hdl.lib.sram import Sram
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, data_bits
from hdl.lib.word import fields
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.codec import layout
from sw.isa.fields import ACC_MODES
from sw.isa.table import acc_stages, instruction

PASS, SET, ADD, ADD_OUT, READ = range(len(ACC_MODES))


class Accumulator(wiring.Component):
    """Superlane tile of the results queue.

    A word meets the pass that stands in `values` in its issue cycle and reads its row; the row stands corrected in a
    register after one cycle (two with ECC); `acc_stages` later the result is written back or driven.

    Members
    -------
    valid, word
        The word here, if this superlane is powered.
    pass_valid, values
        The pass here: int32 or fp32 of each column.
    drive : Drive
    corrected : a bit for each column, lost : whether the SECDED check of a row found more wrong than it can correct.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        super().__init__({
            "valid": In(1),
            "word": In(layout("MXM_R", c).bits),
            "pass_valid": In(1),
            "values": In(32 * c.lanes),
            "drive": Out(Drive(c, (4,))),
            "corrected": Out(c.lanes),
            "lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        word = fields(self.word, "MXM_R", "acc", c)
        mode = word["mode"]
        reads = (mode == ADD) | (mode == ADD_OUT) | (mode == READ)
        writes = (mode == SET) | (mode == ADD)
        self.code = secded(32) if c.ecc.accumulators else None
        check = self.code.check_bits if self.code else 0
        m.submodules.rows = rows = stamp(Sram(c.mxm.acc_rows, (32 + check) * c.lanes), "mxm_accumulator_rows")
        m.d.comb += [rows.read_en.eq(self.valid & reads), rows.read_addr.eq(word["row"])]

        # What a word needs later: its place, whether it writes, whether it takes the row or the sum.
        sums = (mode == ADD) | (mode == ADD_OUT)
        tag = Cat(word["row"], word["dst"], writes, mode == READ, sums & (word["dtype"] == 0), sums & (word["dtype"] == 1))
        valid, (values, tag) = self.valid, (self.values, tag)
        valid, both = delay(m, valid, Cat(values, tag), 1, "met")
        row = rows.read_data
        if self.code:
            row = self._corrected(m, valid, both[len(values) :], row)
            valid, both = delay(m, valid, both, 1, "corrected")
        values, tag = both[: len(values)], both[len(values) :]
        result, valid, tag = self._execute(m, valid, values, row, tag)
        self._leave(m, rows, valid, result, tag)
        if self.sim:
            self._assertions(m)
        return m

    def _split(self, tag: Value) -> tuple[Value, ...]:
        """A tag's parts: row, dst, writes, takes the row, int32 sum, fp32 sum."""
        word = fields(self.word, "MXM_R", "acc", self.config)
        row, dst = len(word["row"]), len(word["row"]) + len(word["dst"])
        return tag[:row], tag[row:dst], *tag[dst:]

    def _corrected(self, m: Module, valid: Value, tag: Value, word: Value) -> Value:
        """The row that was read, checked and in a register."""
        lanes, check = self.config.lanes, self.code.check_bits
        _, _, _, is_read, integer, real = self._split(tag)
        fixed = Signal(32 * lanes, name="row_fixed", reset_less=True)
        with m.If(valid & (is_read | integer | real)):
            for k in range(lanes):
                good, corrected, lost = decode(
                    m, self.code, word.word_select(k, 32), word[32 * lanes :].word_select(k, check), name=f"row_{k}"
                )
                m.d.sync += fixed.word_select(k, 32).eq(good)
                m.d.comb += self.corrected[k].eq(corrected)
                with m.If(lost):
                    m.d.comb += self.lost.eq(1)
        return fixed

    def _execute(self, m: Module, valid: Value, values: Value, row: Value, tag: Value):
        """`acc_stages` cycles: pass, row or sum."""
        c = self.config
        _, _, _, is_read, integer, real = self._split(tag)
        lanes = [(values.word_select(k, 32), row.word_select(k, 32)) for k in range(c.lanes)]
        exact = Cat(Mux(is_read, old, Mux(integer, (old + new)[:32], new)) for new, old in lanes)
        done, out = delay(m, valid, Cat(exact, tag), acc_stages(c), "out")
        result, out_tag = out[: len(values)], out[len(values) :]
        if "fp16" in c.mxm.types:
            sums = []
            for k, (new, old) in enumerate(lanes):
                m.submodules[f"add_{k}"] = adder = stamp(Fp32Add(), "fp32_add")
                m.d.comb += [adder.valid.eq(valid & real), adder.a.eq(old), adder.b.eq(new)]
                sums.append(adder.result)
            result = Mux(self._split(out_tag)[5], Cat(sums), result)
        return result, done, out_tag

    def _leave(self, m: Module, rows, valid: Value, result: Value, tag: Value) -> None:
        c, width = self.config, data_bits(self.config)
        row, dst, writes, *_ = self._split(tag)
        final = Signal(len(result))
        with m.If(valid):
            m.d.comb += final.eq(result)
        lanes = [final.word_select(k, 32) for k in range(c.lanes)]
        with m.If(valid & writes):
            m.d.comb += [
                rows.write_en.eq(1),
                rows.write_addr.eq(row),
                rows.write_data.eq(Cat(final, *(encode(self.code, lane) for lane in lanes if self.code))),
            ]
        words = [Cat(lane.word_select(b, 8) for lane in lanes) for b in range(4)]
        with m.If(valid & ~writes):
            m.d.comb += [
                self.drive.valid.eq(1),
                self.drive.west.eq(dst[-1]),
                self.drive.stream.eq(dst[:-1]),
                self.drive.data.eq(Cat(words)),
            ]
            if c.ecc.streams:
                m.d.comb += self.drive.check.eq(Cat(encode(secded(width), word) for word in words))

    def _assertions(self, m: Module) -> None:
        """A word that takes a pass finds one, and no word reads a row that an earlier one has still to write."""
        c = self.config
        word = fields(self.word, "MXM_R", "acc", c)
        reads = (word["mode"] != PASS) & (word["mode"] != SET)
        m.d.sync += Assert(
            ~self.valid | (word["mode"] == READ) | self.pass_valid, "ACC met no pass"
        )
        writing = (word["mode"] == SET) | (word["mode"] == ADD)
        pending, row = self.valid & writing, word["row"]
        for k in range(instruction("ACC").timing(c, {}).turn - 1):
            pending, row = delay(m, pending, row, 1, f"pending_{k}")
            m.d.sync += Assert(~(self.valid & reads & pending & (row == word["row"])), "ACC came back to a row too soon")
