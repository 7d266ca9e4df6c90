"""GATHER and SCATTER: addresses from data, their order with all other accesses, and faults."""

import numpy as np
import pytest

from sw.golden.error import GoldenError
from sw.machine import MachineError
from tests.golden.bench import TINY, Bench, timing

VL, LANES, R = TINY.vl, TINY.lanes, TINY.superlanes
AT = 20
UNIT = "MEM_E15"
SEED = 20265


def table(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(SEED + seed).integers(0, 256, (rows, VL), np.uint8)


def offsets(*values: int) -> np.ndarray:
    """A map vector: only lane 0 of each superlane counts."""
    vector = np.random.default_rng(SEED).integers(0, 1 << 16, VL).astype(np.uint16)
    vector[::LANES] = values
    return vector


def gather(bench: Bench, cycle: int, rows: int, *values: int) -> int:
    bench.group(UNIT, cycle, "E2", offsets(*values))
    bench.program.at(cycle).queue(UNIT).gather(addr=0, rows=rows, stream="W0", map="E2")
    return cycle + timing(TINY, "GATHER").d_func


def scatter(bench: Bench, cycle: int, rows: int, vector: np.ndarray, *values: int) -> None:
    bench.group(UNIT, cycle, "E2", offsets(*values))
    bench.give(UNIT, cycle, "E4", vector)
    bench.program.at(cycle).queue(UNIT).scatter(addr=0, rows=rows, stream="E4", map="E2")


def test_gather_takes_an_own_row_in_every_superlane():
    data = table(8)
    bench = Bench(TINY)
    bench.program.data(UNIT, 0, data)
    done = [gather(bench, AT, 8, 7, 2), gather(bench, AT + 1, 8, 0xFFFF, 0)]
    bench.run()
    assert list(bench.drive(UNIT, done[0], "W0")[0]) == [*data[7, :LANES], *data[2, LANES:]]
    assert list(bench.drive(UNIT, done[1], "W0")[0]) == [*[0] * LANES, *data[0, LANES:]]


def test_scatters_and_gathers_keep_their_order():
    old, new = table(4), table(3, seed=1)
    bench = Bench(TINY)
    bench.program.data(UNIT, 0, old)
    done = []
    for k, rows in enumerate(((1, 2), (1, 1), (0xFFFF, 2))):
        scatter(bench, AT + 4 * k, 4, new[k], *rows)
        done.append(gather(bench, AT + 4 * k + 2, 4, 1, 2))
    chip = bench.run()
    state = old.copy()
    for k, rows in enumerate(((1, 2), (1, 1), (None, 2))):
        for r, row in enumerate(rows):
            if row is not None:
                state[row, r * LANES : (r + 1) * LANES] = new[k, r * LANES : (r + 1) * LANES]
        got = bench.drive(UNIT, done[k], "W0")[0]
        assert list(got) == [*state[1, :LANES], *state[2, LANES:]], k
    assert (chip.read(bench.slice(UNIT), 0, 4) == state).all()
    writes = bench.records[bench.records["kind"] == 1]
    access = timing(TINY, "SCATTER").access
    assert list(writes["cycle"]) == [AT + 4 * k + access for k in (0, 0, 1, 1, 2)]
    assert list(writes["item"]) == [1, 2, 1, 1, 2]
    assert list(writes["superlane"]) == [0, 1, 0, 1, 1]


def test_reads_and_writes_of_region_words_keep_their_order_with_scatter():
    data, vector, plain = table(2), table(1, seed=2)[0], table(1, seed=3)[0]
    bench = Bench(TINY)
    bench.program.data(UNIT, 0, data)
    access = timing(TINY, "SCATTER").access
    done = AT + timing(TINY, "READ").d_func
    for t in (0, access, access + 1, access + 2, access + 4):
        if t != access + 2:
            bench.program.at(AT + t).queue(UNIT).read(1, "W8")
    # Accesses at access (SCATTER), access + 2 (WRITE).
    scatter(bench, AT, 2, vector, 1, 0)
    bench.give(UNIT, AT + access + 2, "E9", plain)
    bench.program.at(AT + access + 2).queue(UNIT).write(1, "E9")
    chip = bench.run()
    mixed = [*vector[:LANES], *data[1, LANES:]]
    assert list(bench.drive(UNIT, done, "W8")[0]) == list(data[1])
    assert list(bench.drive(UNIT, done + access + 1, "W8")[0]) == mixed
    assert list(bench.drive(UNIT, done + access + 4, "W8")[0]) == list(plain)
    got = chip.read(bench.slice(UNIT), 0, 2)
    assert list(got[1]) == list(plain)
    assert list(got[0]) == [*data[0, :LANES], *vector[LANES:]]


@pytest.mark.parametrize("wrong", [4, 0x8000, 0xFFFE])
def test_an_offset_outside_is_a_fault(wrong):
    bench = Bench(TINY)
    bench.program.data(UNIT, 0, table(8))
    gather(bench, AT, 4, 3, 0)
    gather(bench, AT + 5, 4, 0, wrong)
    gather(bench, AT + 9, 4, wrong, 0)
    chip = bench.run()
    fault = bench.result.fault
    assert (fault.kind, fault.unit, fault.queue) == ("GATHER_RANGE", UNIT, UNIT)
    assert fault.cycle == AT + 5 + timing(TINY, "GATHER").access == bench.result.cycles
    with pytest.raises(MachineError, match="fault"):
        chip.read(bench.slice(UNIT), 0, 1)


def test_gathering_what_nobody_wrote_is_refused():
    bench = Bench(TINY)
    bench.program.data(UNIT, 0, table(3))
    gather(bench, AT, 4, 2, 3)
    with pytest.raises(GoldenError, match="reads a word that nobody has written"):
        bench.run()
