"""A matrix plane: superlanes x superlanes supercells, the operands of each superlane, and ACC."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.issue import Issue, northward
from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, Streams
from hdl.lib.tree import tree_sum
from hdl.mxm.accumulator import Accumulator
from hdl.mxm.result import Result
from hdl.mxm.row import Row
from hdl.mxm.shape import Shape
from hdl.mxm.supercell import Supercell
from sw.arch.config import Config
from sw.arch.hostmap import Fault


class Plane(wiring.Component):
    """One MXM plane.

    Supercell (r, c) holds the weights of superlane r's rows in superlane c's columns. Activations of superlane r go to
    its whole row of supercells at once; sums move north one superlane a cycle and stand at the top of every column
    block in the same cycle, where block c waits c cycles to meet the stagger of ACC's tile c.

    Members
    -------
    weights, activations, results : In(Issue)
        The three queues' words.
    streams_r : In(Streams), drive_r : Out(Drive)
        Superlane r's registers at the stop, and its results.
    weights_corrected, weights_fault (and those of the other two queues)
        Words corrected in this cycle, and whether one was lost.
    """

    QUEUES = {"weights": "MXM_W", "activations": "MXM_A", "results": "MXM_R"}

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        self.shape = Shape.of(c)
        members = {}
        for name, cls in self.QUEUES.items():
            members |= {
                name: In(Issue(c, cls)),
                f"{name}_corrected": Out(8),
                f"{name}_fault": Out(Fault),
            }
        for r in range(c.superlanes):
            members |= {f"streams_{r}": In(Streams(c, sim)), f"drive_{r}": Out(Drive(c, (4,)))}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        rows = self._rows(m)
        tops = self._array(m, rows)
        results = self._results(m, tops, rows[-1].row)
        tiles = self._accumulators(m, results)
        self._errors(m, "weights", [row.weights_corrected for row in rows], [row.weights_lost for row in rows])
        self._errors(m, "activations", [row.activations_corrected for row in rows], [row.activations_lost for row in rows])
        self._errors(m, "results", [tile.corrected for tile in tiles], [tile.lost for tile in tiles])
        return m

    def _rows(self, m: Module) -> list:
        c = self.config
        loads = northward(m, c, self.weights)
        # A superlane without power takes part in a pass with zeros, so its word goes on with its mask.
        everywhere = SimpleNamespace(
            valid=self.activations.valid,
            mask=Const((1 << c.superlanes) - 1, c.superlanes),
            word=Cat(self.activations.word, self.activations.mask),
        )
        passes = northward(m, c, everywhere)
        rows = []
        for r, ((load_valid, load_word), (pass_valid, pass_word)) in enumerate(zip(loads, passes, strict=True)):
            m.submodules[f"row_{r}"] = row = stamp(Row(c, self.sim), "mxm_row")
            wiring.connect(m, wiring.flipped(getattr(self, f"streams_{r}")), row.streams)
            width = len(self.activations.word)
            m.d.comb += [
                row.load_valid.eq(load_valid),
                row.load_word.eq(load_word),
                row.pass_valid.eq(pass_valid),
                row.pass_powered.eq(pass_word[width + r]),
                row.pass_word.eq(pass_word[:width]),
            ]
            rows.append(row)
        return rows

    def _array(self, m: Module, rows: list) -> list:
        """The supercells; returns those of the northernmost superlane."""
        shape = self.shape
        south = [None] * shape.superlanes
        for r, row in enumerate(rows):
            for block, below in enumerate(south):
                m.submodules[f"supercell_{r}_{block}"] = cell = stamp(Supercell(shape), "mxm_supercell")
                wiring.connect(m, row.row, cell.row)
                m.d.comb += cell.here.eq(row.row.block[block])
                if below:
                    wiring.connect(m, below.above, cell.below)
                south[block] = cell
        return south

    def _results(self, m: Module, tops: list, control) -> list[tuple[Value, Value]]:
        """What stands before each tile of ACC: valid and values."""
        shape = self.shape
        int8_valid, fp16_valid, first, last = Signal(), Signal(), Signal(), Signal()
        if shape.int8:
            m.d.sync += int8_valid.eq(control.int8_add | control.int8_skip)
        if shape.fp16:
            m.d.sync += fp16_valid.eq(control.fp16_add | control.fp16_skip)
            phase = Signal(range(shape.interval))
            with m.If(fp16_valid):
                m.d.sync += phase.eq(phase + 1)
            m.d.comb += [first.eq(phase == 0), last.eq(phase == shape.interval - 1)]
        found = []
        for block, cell in enumerate(tops):
            m.submodules[f"result_{block}"] = result = stamp(Result(shape, self.sim), "mxm_result")
            wiring.connect(m, cell.above, result.chain)
            m.d.comb += [
                result.int8_valid.eq(int8_valid),
                result.fp16_valid.eq(fp16_valid),
                result.first.eq(first),
                result.last.eq(last),
            ]
            found.append(delay(m, result.valid, result.values, block, f"wait_{block}"))
        return found

    def _accumulators(self, m: Module, results: list[tuple[Value, Value]]) -> list:
        c = self.config
        tiles = []
        for r, ((valid, word), (pass_valid, values)) in enumerate(
            zip(northward(m, c, self.results), results, strict=True)
        ):
            m.submodules[f"accumulator_{r}"] = tile = stamp(Accumulator(c, self.sim), "mxm_accumulator")
            wiring.connect(m, tile.drive, wiring.flipped(getattr(self, f"drive_{r}")))
            m.d.comb += [
                tile.valid.eq(valid),
                tile.word.eq(word),
                tile.pass_valid.eq(pass_valid),
                tile.values.eq(values),
            ]
            tiles.append(tile)
        return tiles

    def _errors(self, m: Module, queue: str, corrected: list[Value], lost: list[Value]) -> None:
        words = Cat(corrected)
        with m.If(words.any()):
            count = tree_sum(list(words))
            m.d.comb += getattr(self, f"{queue}_corrected").eq(Mux(count > 255, 255, count))
        with m.If(Cat(lost).any()):
            m.d.comb += getattr(self, f"{queue}_fault").eq(Fault.ECC)
