"""READ -> stream -> WRITE on the golden chip, against counted distances and moving registers."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.arch.floorplan import floorplan
from sw.asm.program import Program
from sw.golden.chip import GoldenMachine
from sw.golden.error import GoldenError
from sw.isa.table import instruction
from sw.trace import DRIVE, WRITE

TINY = load("tiny")
#: Cycles from a READ to its value at the next stop.
READS = instruction("READ").timing(TINY, {}).d_func
SEED = 20261


def vectors(count: int, seed: int = SEED) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, TINY.vl), np.uint8)


def slice_of(name: str) -> int:
    return [u.name for u in floorplan(TINY).slices].index(name)


def machine(program: Program) -> GoldenMachine:
    chip = GoldenMachine(program.config)
    chip.load(program.image())
    return chip


def stop_of(name: str) -> int:
    return floorplan(TINY).unit(name).stop


@pytest.mark.parametrize(
    "source,target,stream",
    [("W3", "W0", "E3"), ("W3", "E3", "E0"), ("E0", "E3", "E15"), ("E3", "W3", "W7"), ("E2", "E0", "W0")],
)
def test_copy(source, target, stream):
    data = vectors(1)
    hops = abs(stop_of(f"MEM_{source}") - stop_of(f"MEM_{target}"))
    p = Program(TINY)
    p.data(source, 5, data)
    p.at(3).mem(source).read(5, stream)
    p.at(3 + READS + hops - 1).mem(target).write(9, stream)
    chip = machine(p)
    chip.run(1, traced=range(1))
    assert (chip.read(slice_of(f"MEM_{target}"), 9, 1) == data).all()
    records = chip.trace().records
    assert (records["kind"] == [DRIVE] * TINY.superlanes + [WRITE] * TINY.superlanes).all()
    west = stream.startswith("W")
    assert set(records["place"][:2]) == {stop_of(f"MEM_{source}") + (-1 if west else 1)}
    assert set(records["cycle"]) == {3 + READS, 3 + READS + hops - 1}
    assert (records["data"].reshape(2, -1) == data).all()


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_copy_at_the_wrong_cycle_has_no_producer(shift):
    hops = abs(stop_of("MEM_W0") - stop_of("MEM_E0"))
    p = Program(TINY)
    p.data("W0", 0, vectors(1))
    p.at(0).mem("W0").read(0, "E0")
    p.at(READS + hops - 1 + shift).mem("E0").write(0, "E0")
    with pytest.raises(GoldenError, match="WRITE of queue MEM_E0 .* E0, which nobody drove"):
        machine(p).run()


def simulate(drives, uses):
    """Registers moved cycle by cycle: drives are (cycle, stop, stream, value), uses (cycle, stop, stream)."""
    stops = len(floorplan(TINY).stops)
    east, west = {}, {}
    found = {}
    for cycle in range(1 + max(u[0] for u in uses)):
        east = {(x + 1, s): v for (x, s), v in east.items() if x + 1 < stops}
        west = {(x - 1, s): v for (x, s), v in west.items() if x > 0}
        for at, x, s, value in drives:
            if at == cycle:
                (west if s >= TINY.streams else east)[x, s] = value
        for use in uses:
            if use[0] == cycle:
                found[use] = (west if use[2] >= TINY.streams else east).get(use[1:])
    return found


@pytest.mark.parametrize("seed", range(20))
def test_random_reads_and_writes_against_moving_registers(seed):
    rng = np.random.default_rng(SEED + seed)
    names = [u.name for u in floorplan(TINY).slices]
    data = vectors(len(names), seed)
    p = Program(TINY)
    drives, taken = [], set()
    for i, name in enumerate(names):
        p.data(name.removeprefix("MEM_"), 1, data[i : i + 1])
    for _ in range(60):
        i, cycle, index, west = (int(rng.integers(high)) for high in (len(names), 12, 2, 2))
        stop = stop_of(names[i]) + (-1 if west else 1)
        code = index + TINY.streams * west
        if (names[i], cycle) in taken or (stop, cycle, code) in taken:
            continue
        taken |= {(names[i], cycle), (stop, cycle, code)}
        p.at(cycle).mem(names[i]).read(1, f"{'W' if west else 'E'}{index}")
        drives.append((cycle + READS, stop, code, i))
    uses = [
        (cycle, stop_of(name), index + west * TINY.streams)
        for name in names for cycle in range(16) for index in range(2) for west in range(2)
    ]
    expected, addr = {}, dict.fromkeys(names, 32)
    found = simulate(drives, uses)
    for name in names:
        for cycle in range(16):
            candidates = [u for u in uses if u[:2] == (cycle, stop_of(name)) and found[u] is not None]
            if candidates:
                use = candidates[rng.integers(len(candidates))]
                west, index = divmod(use[2], TINY.streams)
                p.at(cycle).mem(name).write(addr[name], f"{'W' if west else 'E'}{index}")
                expected[name, addr[name]] = data[found[use]]
                addr[name] += 1
    chip = machine(p)
    chip.run()
    assert len(expected) > 20
    for (name, word), value in expected.items():
        assert (chip.read(slice_of(name), word, 1)[0] == value).all(), (name, word)


def test_reads_see_the_last_write_before_them_and_repeat_strides():
    data = vectors(4)
    p = Program(TINY)
    p.data("W1", 0, data)
    p.at(0).mem("W1").read(0, "E2", stride=1).repeat(3)
    arrival = READS + stop_of("MEM_E1") - stop_of("MEM_W1") - 1
    p.at(arrival).mem("E1").write(4, "E2", stride=2).repeat(3)
    # Word 6 is written in cycle arrival + 1: a read in the same slice one cycle later sees it.
    p.at(arrival + 8).mem("E1").read(6, "E3")
    p.at(arrival + 8 + READS - 1 + stop_of("MEM_E3") - stop_of("MEM_E1")).mem("E3").write(0, "E3")
    chip = machine(p)
    chip.run()
    assert (chip.read(slice_of("MEM_E1"), 4, 7)[::2] == data).all()
    assert (chip.read(slice_of("MEM_E3"), 0, 1)[0] == data[1]).all()


def test_memory_survives_iterations_and_cycles_count_the_gap():
    data = vectors(2)
    arrival = READS + stop_of("MEM_E1") - stop_of("MEM_W1") - 1
    p = Program(TINY)
    p.data("W1", 0, data[:1])
    p.data("E1", 0, data[1:])
    # The two words change places in every iteration.
    p.at(0).mem("W1").read(0, "E0")
    p.at(0).mem("E1").read(0, "W0")
    p.at(arrival).mem("E1").write(0, "E0")
    p.at(arrival).mem("W1").write(0, "W0")
    chip = machine(p)
    one = chip.run().cycles
    assert (chip.read(slice_of("MEM_E1"), 0, 1) == data[:1]).all()
    two = chip.run(2).cycles
    assert (chip.read(slice_of("MEM_E1"), 0, 1) == data[:1]).all()
    assert two > 2 * one
    period = two - one
    chip.run(3, traced=range(1, 3))
    assert (chip.read(slice_of("MEM_E1"), 0, 1) == data[1:]).all()
    assert set(chip.trace().records["cycle"]) == {period * k + t for k in (1, 2) for t in (READS, arrival)}


def test_uninitialised_memory_is_refused():
    p = Program(TINY)
    p.at(0).mem("W1").read(0, "E0")
    chip = machine(p)
    with pytest.raises(GoldenError, match="READ of queue MEM_W1 at cycle 0 reads a word that nobody has"):
        chip.run()
    chip.write(slice_of("MEM_W1"), 0, vectors(1))
    chip.run()
