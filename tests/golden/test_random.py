"""Random programs on the golden chip and on a chip moved cycle by cycle: the same trace, the same memory."""

import pytest

from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.isa.table import TABLE
from tests.golden.reference import Reference

CONFIG = load("tiny").replace(mem={"slices": 8}, queue_words=4096)
SEED = 20268


def records(trace) -> list[tuple]:
    r = trace.records
    names = ("cycle", "kind", "place", "item", "superlane")
    columns = [r[name].tolist() for name in names] + [r["data"].tolist()]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_traces_and_memories_are_equal(seed, masked):
    reference = Reference(CONFIG, SEED + seed, masked)
    reference.run(250)
    issued = {
        op.instr.name for words in reference.program.entries.values() for e in words.values() for op in e.word
    }
    assert issued >= {instr.name for instr in TABLE if instr.cls[:3] in ("MEM", "MXM", "SXM")}
    chip = GoldenMachine(CONFIG)
    chip.load(reference.program.image())
    assert chip.run(1, traced=range(1)).fault is None
    got, expected = records(chip.trace()), reference.records
    for a, b in zip(got, expected, strict=False):
        assert a == b
    assert len(got) == len(expected)
    for (number, addr), value in reference.memory.items():
        word = chip.read(number, addr, 1)[0]
        for r in range(CONFIG.superlanes):
            if value.valid >> r & 1:
                lanes = slice(r * CONFIG.lanes, (r + 1) * CONFIG.lanes)
                assert (word[lanes] == value.data[lanes]).all(), (number, addr, r)
