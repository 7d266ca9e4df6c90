"""Prints how fast the golden model is: events (instruction issues) and simulated cycles per second.

Two programs: `mixed`, 10,000 instructions without REPEAT (READ, vector operation, WRITE), on any
configuration; and `gemm`, an int8 matrix product of 8 x 8 weight tiles on all four planes of `full`,
compared with numpy.
"""

import argparse
import time

import numpy as np

from sw.arch.config import Config, load
from sw.arch.floorplan import floorplan
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.golden.chip import GoldenMachine
from sw.golden.events import Events
from sw.isa.table import instruction

SEED = 20267


def constants(c: Config, name: str, **values):
    row = instruction(name)
    return row.timing(c, dict.fromkeys(row.fields, 0) | values)


def mixed(c: Config, instructions: int) -> Program:
    """Groups of READ, VXM and WRITE: a vector from the west comes out in the east, one more in every lane."""
    p = Program(c)
    rng = np.random.default_rng(SEED)
    slices, alus, words = c.mem.slices, c.alus, c.mem.words
    read, add = constants(c, "READ").d_func, constants(c, "ADD").d_func
    for n in range(slices):
        p.data(f"W{n}", 0, rng.integers(0, 256, (words // 2, c.vl), np.uint8))
    centre = p.floorplan.unit("VXM").stop
    for i in range(instructions // 3):
        lap, alu = divmod(i, alus)
        source, target = i % slices, (i * 5) % slices
        row = alu // c.vxm.ranks
        stream = f"E{8 * row % c.streams + alu % c.vxm.ranks}"
        west = centre - p.floorplan.unit(f"MEM_W{source}").stop
        east = p.floorplan.unit(f"MEM_E{target}").stop - centre
        t = 60 + lap * 17 + alu
        p.at(t - read - west + 1).mem(f"W{source}").read(i % (words // 2), stream)
        p.at(t).vxm(alu).add("int8", stream, 1, dst=stream, overflow="mod")
        p.at(t + add + east - 1).mem(f"E{target}").write(words // 2 + i % (words // 2), stream)
    return p


class Gemm:
    """`blocks` x 256 rows of int8 activations times a square int8 matrix of 8 x 8 tiles on the four planes
    of `full`.

    A plane keeps two columns of tiles; 256 rows at a time are accumulated over the eight tiles of a column.
    Slices of a hemisphere: 0 ... 7 results (int32 of two planes), 8 ... 39 weights, 40 ... 43 activations
    for both planes.
    """

    ROWS, TILES = 256, 8

    def __init__(self, c: Config, blocks: int):
        self.config, self.blocks = c, blocks
        rng = np.random.default_rng(SEED)
        width = self.TILES * c.vl
        self.a = rng.integers(-128, 128, (blocks * self.ROWS, width), np.int8)
        self.w = rng.integers(-128, 128, (width, width), np.int8)
        self.program = Program(c)
        for side in "WE":
            self._place_data(side)
            for run in range(blocks * 2 * self.TILES):
                self._run(side, run, 200 + run * self.ROWS)

    def _tiles(self, side: str, plane: int) -> list[int]:
        return [4 * (side == "E") + 2 * plane + n for n in range(2)]

    def _activations(self, block: int) -> tuple[int, int]:
        """Slice and address of the activations of a block of rows."""
        size = self.TILES * self.ROWS
        where, at = divmod(block, self.config.mem.words // size)
        return 40 + where, at * size

    def _place_data(self, side: str) -> None:
        c, p = self.config, self.program
        for block in range(self.blocks):
            where, at = self._activations(block)
            rows = self.a[block * self.ROWS : (block + 1) * self.ROWS].reshape(self.ROWS, self.TILES, c.vl)
            p.data(f"{side}{where}", at, np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(-1, c.vl))
        for plane in range(2):
            for j in range(c.lanes):
                columns = [
                    self.w[k * c.vl : (k + 1) * c.vl, n * c.vl + j : (n + 1) * c.vl : c.lanes].T
                    for n in self._tiles(side, plane)
                    for k in range(self.TILES)
                ]
                p.data(f"{side}{8 + 16 * plane + j}", 0, np.concatenate(columns))

    def _run(self, side: str, run: int, t: int) -> None:
        """256 passes through one tile on both planes of a side, the first issued in cycle t."""
        c, p = self.config, self.program
        block, n, k = run // (2 * self.TILES), run // self.TILES % 2, run % self.TILES
        to_edge, from_edge = ("W", "E") if side == "W" else ("E", "W")
        edge = p.floorplan.unit(f"MXM_{side}0").stop
        loads, last = c.vl // c.lanes, self.ROWS - 1

        def at(cycle: int, where: int):
            return p.at(cycle).mem(f"{side}{where}")

        def hops(where: int) -> int:
            return abs(p.floorplan.unit(f"MEM_{side}{where}").stop - edge)

        def read(where: int, addr: int, stream: int, cycle: int, count: int) -> None:
            issue = cycle - constants(c, "READ").d_func - hops(where) + 1
            at(issue, where).read(addr, f"{to_edge}{stream}", stride=1).repeat(count - 1)

        where, addr = self._activations(block)
        read(where, addr + k * self.ROWS, 16, t, self.ROWS)
        install = t - constants(c, "IW").d_func
        meets = t + constants(c, "ABC").d_func
        mode = "SET" if k == 0 else "ADD_OUT" if k == self.TILES - 1 else "ADD"
        for plane in range(2):
            unit = f"MXM_{side}{plane}"
            first = install - loads * (2 - plane)
            for j in range(c.lanes):
                read(8 + 16 * plane + j, (n * self.TILES + k) * loads, j, first, loads)
            load = p.at(first).queue(f"{unit}_W")
            load.lw("int8", stream=f"{to_edge}0", n=c.lanes, col=0, stride=c.lanes).repeat(loads - 1)
            p.at(install).queue(f"{unit}_W").iw()
            p.at(t).queue(f"{unit}_A").abc("int8", f"{to_edge}16").repeat(last)
            acc = p.at(meets).queue(f"{unit}_R")
            acc.acc("int8", mode, row=0, dst=f"{from_edge}{4 * plane}", stride=1).repeat(last)
            for j in range(4) if mode == "ADD_OUT" else ():
                where = 4 * plane + j
                arrives = meets + constants(c, "ACC").d_func + hops(where) - 1
                write = at(arrives, where)
                write.write((2 * block + n) * self.ROWS, f"{from_edge}{where}", stride=1).repeat(last)

    def check(self, machine: GoldenMachine) -> None:
        """AssertionError if the results in memory are not numpy's."""
        c, slices = self.config, [unit.name for unit in floorplan(self.config).slices]
        for side in "WE":
            for plane in range(2):
                parts = [
                    machine.read(slices.index(f"MEM_{side}{4 * plane + j}"), 0, 2 * self.blocks * self.ROWS)
                    for j in range(4)
                ]
                got = np.stack(parts, axis=2).view(np.int32).reshape(self.blocks, 2, self.ROWS, c.vl)
                for i, n in enumerate(self._tiles(side, plane)):
                    w = self.w[:, n * c.vl : (n + 1) * c.vl].astype(np.float64)
                    assert (got[:, i].reshape(-1, c.vl) == self.a.astype(np.float64) @ w).all()


def measure(what: str, program: Program, iterations: int) -> GoldenMachine:
    """Runs a program and prints its figures."""
    began = time.perf_counter()
    image = program.image()
    unrolled = timeline(image)
    events = len(Events(program.config, unrolled.bursts))
    words = sum(map(len, image.boot.values()))
    print(f"{what} on {program.config.name}: {words} words, {events} events, {unrolled.cycles} cycles")
    print(f"  assembled and unrolled in {time.perf_counter() - began:.2f} s")
    machine = GoldenMachine(program.config)
    machine.load(image)
    began = time.perf_counter()
    machine.run()
    first = time.perf_counter() - began
    print(f"  first run, resolution included: {first:.2f} s, {events / first:,.0f} events/s")
    began = time.perf_counter()
    cycles = machine.run(iterations).cycles
    later = time.perf_counter() - began
    rate = iterations * events / later
    print(f"  {iterations} more iterations: {later:.3f} s, ", end="")
    print(f"{rate:,.0f} events/s, {cycles / later:,.0f} cycles/s")
    return machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("mixed", "gemm"))
    parser.add_argument("--config", default="full", help="preset or TOML file of `mixed`")
    parser.add_argument("--size", type=int, help="instructions of `mixed`, blocks of 256 rows of `gemm`")
    parser.add_argument("--iterations", type=int, default=1)
    options = parser.parse_args()
    if options.what == "mixed":
        measure("mixed", mixed(load(options.config), options.size or 10_000), options.iterations)
    else:
        product = Gemm(load("full"), options.size or 10)
        product.check(measure("gemm", product.program, options.iterations))
        print("  equal to numpy's product")


if __name__ == "__main__":
    main()
