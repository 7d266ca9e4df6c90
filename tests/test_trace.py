"""The lockstep trace: what the hardware prints, and the table of the first difference."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.golden.chip import GoldenMachine
from sw.isa.table import restart_gap
from sw.trace import Trace, TraceError, compare

TINY = load("tiny")


@pytest.fixture
def copied():
    """The trace of two iterations of a copy from MEM_W0 to MEM_E0 over E3, and its timeline."""
    p = Program(TINY)
    p.data("W0", 7, np.arange(TINY.vl, dtype=np.uint8))
    p.at(5).mem("W0").read(7, "E3")
    p.at(8).mem("E0").write(9, "E3")
    chip = GoldenMachine(TINY)
    chip.load(p.image())
    chip.run(2, traced=range(2))
    return chip.trace(), timeline(p.image())


def printed(trace: Trace) -> list[str]:
    """The lines that hardware would print, in another order."""
    lines = ["some other output"]
    for r in trace.records[::-1]:
        data = bytes(r["data"][::-1]).hex()
        where = f"{r['place']} {r['item']} {r['superlane']}"
        lines.append(f"~{'DW'[r['kind']]} {r['cycle'] + r['superlane']} {where} {data}\n")
    return lines


def test_printed_lines_give_the_trace_back(copied):
    trace, _ = copied
    assert len(trace.records) == 2 * 2 * TINY.superlanes
    assert compare(trace, Trace.parse(TINY, printed(trace))) is None


def test_a_line_by_hand():
    (record,) = Trace.parse(TINY, ["~W 12 3 40 1 0a0b0c0d"]).records
    assert [record[name] for name in ("cycle", "kind", "place", "item", "superlane")] == [11, 1, 3, 40, 1]
    assert record["data"].tolist() == [0x0D, 0x0C, 0x0B, 0x0A]


@pytest.mark.parametrize(
    "line", ["~D 1 2 3 4", "~D 1 2 3 0 0102030405", "~W 1 x 3 0 01020304", "~D 1 2 3 0 zz"]
)
def test_a_broken_line_is_refused(line):
    with pytest.raises(TraceError, match="is not a trace record"):
        Trace.parse(TINY, [line])


def table(copied, change) -> dict[str, str]:
    trace, unrolled = copied
    other = change(trace.records.copy())
    text = compare(trace, Trace.of(TINY, [other]), unrolled.bursts, unrolled.cycles + restart_gap(TINY))
    lines = text.splitlines()
    assert lines[0] == "First difference:"
    return dict(line.strip().split("  ", 1) for line in lines[1:])


def test_a_wrong_lane_is_named_with_its_instruction(copied):
    period = copied[1].cycles + restart_gap(TINY)

    def change(records):
        # The second iteration's drive: two superlanes of a drive and of a write come before it.
        records["data"][2 * TINY.superlanes + 1, 2] ^= 0xFF
        return records

    found = {name: value.strip() for name, value in table(copied, change).items()}
    assert found["event"] == "stream drive"
    assert found["cycle"] == str(period + 7)
    assert found["superlane"] == "1"
    assert found["unit"].endswith("(MEM_W0, MEM_W1)")
    assert found["stream"].startswith("E3")
    assert found["instruction"].startswith("READ of queue MEM_W0, issued at 5")
    assert found["lanes that differ"] == "2"
    assert found["expected"] == "07060504 (lane 0 last)"
    assert found["got"] == "07f90504 (lane 0 last)"


def test_a_missing_write_is_named(copied):
    found = table(copied, lambda records: np.delete(records, 2))
    found = {name: value.strip() for name, value in found.items()}
    assert (found["event"], found["unit"], found["word"]) == ("memory write", "MEM_E0", "9")
    assert found["instruction"].startswith("WRITE of queue MEM_E0, issued at 8")
    assert found["got"] == "no such event"
    assert found["expected"] == "03020100 (lane 0 last)"


def test_a_drive_too_many_is_named(copied):
    def change(records):
        extra = records[:1].copy()
        extra["cycle"] -= 1
        return np.concatenate((extra, records))

    found = {name: value.strip() for name, value in table(copied, change).items()}
    assert found["cycle"] == "6"
    assert found["instruction"] == "unknown"
    assert found["expected"] == "no such event"
