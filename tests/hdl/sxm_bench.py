"""Bench for one SXM engine: random streams in, drives out, in superlane-0 time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from hdl.column import Column, drives
from hdl.lib.issue import Issue
from hdl.lib.stamp import stamp
from hdl.lib.stream import Streams
from hdl.row import join
from sw.arch.config import Config, load
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.isa.codec import EncodeError, encode, make
from sw.isa.spec import Op


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
    """The column that `make` gives, with its tiles: `issue`, and for each superlane r `streams_r`, `drive_r`."""

    def __init__(self, make: Callable[[], Column]):
        self.make, self.column = make, make()
        column, c = self.column, self.column.config
        self.sizes = drives(column.tile)[0].sizes
        members = {"issue": In(Issue(c, column.classes[0])), "corrected": Out(8), "fault": Out(8)}
        for r in range(c.superlanes):
            members |= {f"streams_{r}": In(Streams(c, False)), f"drive_{r}": Out(drives(column.tile)[0])}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        kind = self.column.tile.kind
        m.submodules.column = column = stamp(self.column, f"sxm_{kind}")
        connect(m, flipped(self.issue), column.issue_0)
        m.d.comb += [self.corrected.eq(column.corrected_0), self.fault.eq(column.fault_0)]
        for r in range(self.column.config.superlanes):
            streams = getattr(self, f"streams_{r}")
            tile = stamp(self.make().tile, f"sxm_{kind}_tile", streams=streams)
            m.submodules[f"tile_{r}"] = tile
            connect(m, tile.drive_0, flipped(getattr(self, f"drive_{r}")))
            join(m, wiring.flipped(getattr(column, f"tile_{r}")), tile)
        return m


@dataclass
class Seen:
    """What came out: drives (time in the next register, stream, superlane) -> bytes, and check results."""

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
        self.checks = self.code.encode(self.values)
        #: (t, code, r) -> bits of the word (data, then check bits) that arrive wrong.
        self.flips: dict[tuple[int, int, int], tuple[int, ...]] = {}

    def run(self, make: Callable[[], Column], issues: dict[int, tuple[Op, int]], tail: int) -> Seen:
        """Issues (instruction, mask) at the given times; runs `tail` cycles beyond the values."""
        c, seen, engine = self.config, Seen(), Rig(make)
        cls = engine.column.classes[0]

        async def bench(ctx):
            for cycle in range(self.cycles + tail):
                op, mask = issues.get(cycle, (None, 0))
                ctx.set(engine.issue.valid, op is not None)
                if op:
                    ctx.set(engine.issue.word, encode((op,), cls, c))
                    ctx.set(engine.issue.mask, mask)
                for r in range(c.superlanes):
                    if 0 <= cycle - r < self.cycles:
                        self._present(ctx, getattr(engine, f"streams_{r}"), cycle - r, r)
                    self._observe(ctx, engine, cycle, r, seen)
                seen.corrected += ctx.get(engine.corrected)
                if fault := ctx.get(engine.fault):
                    assert fault == Fault.ECC.value
                    seen.faults.append(cycle)
                await ctx.tick()

        sim = Simulator(engine)
        sim.add_clock(1e-6)
        sim.add_testbench(bench)
        sim.run()
        return seen

    def _present(self, ctx, streams, t: int, r: int) -> None:
        c, extra = self.config, self.code.check_bits
        for west, side in enumerate(("east", "west")):
            codes = range(west * c.streams, (west + 1) * c.streams)
            data = int.from_bytes(self.values[t, codes, r].tobytes(), "little")
            check = sum(int(self.checks[t, code, r]) << extra * k for k, code in enumerate(codes))
            for k, code in enumerate(codes):
                for bit in self.flips.get((t, code, r), ()):
                    if bit < 8 * c.lanes:
                        data ^= 1 << (8 * c.lanes * k + bit)
                    else:
                        check ^= 1 << (extra * k + bit - 8 * c.lanes)
            ctx.set(getattr(streams, side), data)
            if c.ecc.streams:
                ctx.set(getattr(streams, f"{side}_check"), check)

    def _observe(self, ctx, engine, cycle: int, r: int, seen: Seen) -> None:
        c, drive = self.config, getattr(engine, f"drive_{r}")
        if not ctx.get(drive.valid):
            return
        count = engine.sizes[ctx.get(drive.size) if len(engine.sizes) > 1 else 0]
        words = ctx.get(drive.data).to_bytes(max(engine.sizes) * c.lanes, "little")
        check = ctx.get(drive.check) if c.ecc.streams else 0
        for k in range(count):
            word = words[k * c.lanes : (k + 1) * c.lanes]
            code = ctx.get(drive.stream) + k + c.streams * ctx.get(drive.west)
            seen.drives[cycle + 1 - r, code, r] = word
            if c.ecc.streams:
                extra = self.code.check_bits
                expected = int(self.code.encode(np.frombuffer(word, np.uint8)))
                assert check >> extra * k & ((1 << extra) - 1) == expected, "wrong check bits"
