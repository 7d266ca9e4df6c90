"""One superlane of ACC: accumulator rows, int32 and fp32 addition, and the way out to a stream."""

from amaranth.hdl import Assert, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.lib.copies import Copies
from hdl.lib.ecc import encode
from hdl.lib.pipe import delay
from hdl.lib.sram import Sram
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, data_bits
from hdl.lib.word import fields
from hdl.mxm.acclane import AccLane
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.codec import layout
from sw.isa.fields import ACC_MODES
from sw.isa.rows.mxm import acc_stages
from sw.isa.table import instruction

PASS, SET, ADD, ADD_OUT, READ = range(len(ACC_MODES))


class Accumulator(wiring.Component):
    """Superlane tile of the results queue.

    A word meets the pass that stands in `values` in its issue cycle and reads its row; the row stands corrected in
    a register after one cycle (two with ECC); `acc_stages` later the result is written back or driven.

    Members
    -------
    valid, word : In
        The word here, if this superlane is powered.
    pass_valid, values : In
        The pass here: int32 or fp32 of each column.
    drive : Out(Drive)
    corrected, lost : Out
        What the SECDED checks of a row found, a bit for each column, and whether one was lost.
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
        mode, real = word["mode"], word["dtype"] == 1
        sums = (mode == ADD) | (mode == ADD_OUT)
        reads, writes = sums | (mode == READ), (mode == SET) | (mode == ADD)
        check_bits = secded(32).check_bits if c.ecc.accumulators else 0
        m.submodules.rows = rows = stamp(Sram(c.mxm.acc_rows, (32 + check_bits) * c.lanes), "mxm_accumulator_rows")
        shared = ("valid", "reads", "takes_row", "adds_int", "adds_float")
        made = Copies(lambda: AccLane(c), "mxm_acc_lane", c.lanes, shared)
        m.submodules.lanes = lanes = stamp(made, "mxm_acc_lanes")
        data = slice(0, 32 * c.lanes)
        m.d.comb += [
            rows.read_en.eq(self.valid & reads),
            rows.read_addr.eq(word["row"]),
            lanes.valid.eq(self.valid),
            lanes.value.eq(self.values),
            lanes.reads.eq(reads),
            lanes.takes_row.eq(mode == READ),
            lanes.adds_int.eq(sums & ~real),
            lanes.adds_float.eq(sums & real),
            lanes.row.eq(rows.read_data[data]),
        ]
        if check_bits:
            m.d.comb += lanes.row_check.eq(rows.read_data[data.stop :])
            checked, _ = delay(m, self.valid & reads, reads, 2, "checked")
            with m.If(checked):
                m.d.comb += [self.corrected.eq(lanes.corrected), self.lost.eq(lanes.lost.any())]

        written = 1 + c.ecc.accumulators + acc_stages(c)
        done, tag = delay(m, self.valid, Cat(word["row"], word["dst"], writes), written, "word")
        row, dst = tag[: len(word["row"])], tag[len(word["row"]) : -1]
        m.d.comb += [
            rows.write_en.eq(done & tag[-1]),
            rows.write_addr.eq(row),
            rows.write_data[data].eq(lanes.result),
        ]
        if check_bits:
            m.d.comb += rows.write_data[data.stop :].eq(lanes.check)
        with m.If(done & ~tag[-1]):
            self._drive(m, dst, lanes.result)
        if self.sim:
            self._assertions(m, word, reads, writes)
        return m

    def _drive(self, m: Module, dst, result) -> None:
        c, width = self.config, data_bits(self.config)
        columns = [result.word_select(k, 32) for k in range(c.lanes)]
        words = [Cat(column.word_select(b, 8) for column in columns) for b in range(4)]
        m.d.comb += [
            self.drive.valid.eq(1),
            self.drive.west.eq(dst[-1]),
            self.drive.stream.eq(dst[:-1]),
            self.drive.data.eq(Cat(words)),
        ]
        if c.ecc.streams:
            driven = [self.drive.data.word_select(k, width) for k in range(len(words))]
            m.d.comb += self.drive.check.eq(Cat(encode(secded(width), word) for word in driven))

    def _assertions(self, m: Module, word, reads, writes) -> None:
        """A word that takes a pass finds one, and no word reads a row that nobody ever set or an earlier one has still to
        write."""
        m.d.sync += Assert(~self.valid | (word["mode"] == READ) | self.pass_valid, "ACC met no pass")
        m.submodules.known = known = Memory(shape=1, depth=self.config.mxm.acc_rows, init=[])
        port, look = known.write_port(), known.read_port()
        m.d.comb += [port.en.eq(self.valid & (word["mode"] == SET)), port.addr.eq(word["row"]), port.data.eq(1)]
        m.d.comb += [look.en.eq(self.valid & reads), look.addr.eq(word["row"])]
        asked = Signal()
        m.d.sync += asked.eq(look.en)
        m.d.sync += Assert(~asked | look.data, "an accumulator was read that nobody set")
        pending, row = self.valid & writes, word["row"]
        for k in range(instruction("ACC").timing(self.config, {}).turn - 1):
            pending, row = delay(m, pending, row, 1, f"pending_{k}")
            again = self.valid & reads & pending & (row == word["row"])
            m.d.sync += Assert(~again, "ACC came back to a row too soon")
