"""Bench for SXM engines: random streams in, drives out, in superlane-0 time; in Amaranth or in Verilator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from hdl.column import drives, join
from hdl.export import export
from hdl.lib.issue import Issue
from hdl.lib.stamp import ports, stamp
from hdl.lib.stream import Streams, check_bits
from hdl.lib.tap import reach
from hdl.sxm.engine import Engine
from sw.arch.config import Config, load
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.isa.codec import EncodeError, encode, make
from sw.isa.spec import Op
from tb.chip import looped
from tests.hdl.replay import replay

#: Issue time -> (instruction, mask of powered superlanes).
Issues = dict[int, tuple[Op, int]]


def shape(lanes: int, superlanes: int, ecc: bool = True) -> Config:
    """A small chip with all engines."""
    streams = 2 * max(lanes, 8)
    return load("tiny").replace(lanes=lanes, superlanes=superlanes, streams=streams, ecc={"streams": ecc})


def random_op(rng: np.random.Generator, c: Config, cls: str, name: str, **given: int) -> Op:
    """An instruction with random legal fields, except for those given."""
    fields = make(name).instr.fields
    while True:
        # groups start at multiples of their size
        step = 1 << int(rng.integers(5))
        op = make(name, **{f: int(rng.integers(64)) // step * step for f in fields} | given)
        try:
            encode((op,), cls, c)
        except EncodeError:
            continue
        return op


class Rig(wiring.Component):
    """Columns with their tiles at one stop.

    `makes` give the columns. Members: `streams_r` for each superlane r, and `issue_k`, `corrected_k`,
    `fault_k` and `drive_k_r` of column k.
    """

    def __init__(self, makes: list[Callable[[], Engine]]):
        self.makes, self.columns = makes, [make() for make in makes]
        c = self.columns[0].config
        members = {f"streams_{r}": In(Streams(c, False)) for r in range(c.superlanes)}
        for k, column in enumerate(self.columns):
            members |= {f"issue_{k}": In(Issue(c, column.classes[0]))}
            members |= {f"corrected_{k}": Out(8), f"fault_{k}": Out(8)}
            members |= {f"drive_{k}_{r}": Out(drives(column.tile)[0]) for r in range(c.superlanes)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        for k, made in enumerate(self.columns):
            name = made.classes[0].lower()
            m.submodules[f"column_{k}"] = column = stamp(made, name)
            connect(m, flipped(getattr(self, f"issue_{k}")), column.issue_0)
            m.d.comb += [
                getattr(self, f"corrected_{k}").eq(column.corrected_0),
                getattr(self, f"fault_{k}").eq(column.fault_0),
            ]
            for r in range(made.config.superlanes):
                streams = getattr(self, f"streams_{r}")
                tile = stamp(self.makes[k]().tile, f"{name}_tile")
                m.submodules[f"tile_{k}_{r}"] = tile
                reach(m, f"tile_{k}_{r}", tile, streams)
                connect(m, tile.drive_0, flipped(getattr(self, f"drive_{k}_{r}")))
                join(m, flipped(getattr(column, f"tile_{r}")), tile)
        return m


@dataclass
class Seen:
    """What came out of one column."""

    #: (time in the next register, stream, superlane) -> bytes
    drives: dict[tuple[int, int, int], bytes] = field(default_factory=dict)
    corrected: int = 0
    #: Cycles in which an uncorrectable error was reported.
    faults: list[int] = field(default_factory=list)


class Bench:
    """Random values on all streams: `values[t, code, r]` is what stands at the stop at superlane-0 time t."""

    def __init__(self, c: Config, rng: np.random.Generator, cycles: int):
        self.config, self.cycles = c, cycles
        self.values = rng.integers(256, size=(cycles, 2 * c.streams, c.superlanes, c.lanes), dtype=np.uint8)
        self.code = secded(8 * c.lanes)
        #: (t, code, r) -> bits of the word (data, then check bits) that arrive wrong.
        self.flips: dict[tuple[int, int, int], tuple[int, ...]] = {}

    def run(
        self, makes: list[Callable[[], Engine]], issues: list[Issues], tail: int, folder: Path | None = None
    ) -> list[Seen]:
        """Issues words to each column; runs `tail` cycles beyond the values.

        With `folder` it runs the exported Verilog, groups as loops.
        """
        rig = Rig(makes)
        rows = [self._row(rig, issues, cycle) for cycle in range(self.cycles + tail)]
        if folder:
            answers = replay(looped(export(rig, "rig")), rows, folder)
        else:
            answers = _simulate(rig, rows)
        return [self._seen(column, k, answers) for k, column in enumerate(rig.columns)]

    def _row(self, rig: Rig, issues: list[Issues], cycle: int) -> dict[str, int]:
        row = {}
        for k, column in enumerate(rig.columns):
            if cycle in issues[k]:
                op, mask = issues[k][cycle]
                row[f"issue_{k}__valid"] = 1
                row[f"issue_{k}__mask"] = mask
                row[f"issue_{k}__word"] = encode((op,), column.classes[0], self.config)
        for r in range(self.config.superlanes):
            if 0 <= cycle - r < self.cycles:
                row |= self._streams(cycle - r, r)
        return row

    def _streams(self, t: int, r: int) -> dict[str, int]:
        c, width, extra = self.config, 8 * self.config.lanes, check_bits(self.config)
        row, checks = {}, self.code.encode(self.values[t, :, r])
        for west, side in enumerate(("east", "west")):
            codes = range(west * c.streams, (west + 1) * c.streams)
            data = int.from_bytes(self.values[t, codes, r].tobytes(), "little")
            check = sum(int(checks[code]) << extra * k for k, code in enumerate(codes))
            for k, code in enumerate(codes):
                for bit in self.flips.get((t, code, r), ()):
                    if bit < width:
                        data ^= 1 << (width * k + bit)
                    else:
                        check ^= 1 << (extra * k + bit - width)
            row[f"streams_{r}__{side}"] = data
            if extra:
                row[f"streams_{r}__{side}_check"] = check
        return row

    def _seen(self, column: Engine, k: int, answers: list[dict[str, int]]) -> Seen:
        seen, sizes = Seen(), drives(column.tile)[0].sizes
        for cycle, answer in enumerate(answers):
            seen.corrected += answer[f"corrected_{k}"]
            if fault := answer[f"fault_{k}"]:
                assert fault == Fault.ECC.value
                seen.faults.append(cycle)
            for r in range(self.config.superlanes):
                name = f"drive_{k}_{r}__"
                drive = {key[len(name) :]: value for key, value in answer.items() if key.startswith(name)}
                if drive["valid"]:
                    self._drive(seen, drive, sizes[drive.get("size", 0)], cycle + 1 - r, r)
        return seen

    def _drive(self, seen: Seen, drive: dict[str, int], count: int, time: int, r: int) -> None:
        c, extra = self.config, check_bits(self.config)
        words = (drive["data"] & ((1 << 8 * c.lanes * count) - 1)).to_bytes(count * c.lanes, "little")
        for k in range(count):
            word = words[k * c.lanes : (k + 1) * c.lanes]
            if extra:
                check = drive["check"] >> extra * k & ((1 << extra) - 1)
                assert check == int(self.code.encode(np.frombuffer(word, np.uint8))), "wrong check bits"
            seen.drives[time, drive["stream"] + k + c.streams * drive["west"], r] = word


def _simulate(rig: Rig, rows: list[dict[str, int]]) -> list[dict[str, int]]:
    answers, named = [], ports(rig)

    async def bench(ctx):
        for row in rows:
            for name, (value, way) in named.items():
                if way == "i":
                    ctx.set(value, row.get(name, 0))
            answers.append({name: ctx.get(value) for name, (value, way) in named.items() if way == "o"})
            await ctx.tick()

    sim = Simulator(rig)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return answers
