"""The worked example of docs/timing.md, against the golden model."""

import re
from pathlib import Path

import numpy as np

from sw.arch.floorplan import floorplan
from sw.arch.stream import Stream
from sw.asm.text import assemble
from sw.asm.timeline import timeline
from sw.check.program import check
from sw.golden.chip import GoldenMachine
from sw.isa.table import restart_gap
from sw.trace import DRIVE

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "timing.md").read_text()
STOPS = range(2, 8)


def example():
    """The program of the page, run once on the golden model: image, machine."""
    image = assemble(re.search(r"```asm\n(.*?)```", PAGE, re.DOTALL)[1])
    machine = GoldenMachine(image.config)
    machine.load(image)
    rows = np.arange(2 * image.config.vl, dtype=np.uint8).reshape(2, 1, -1)
    for name, vectors in zip("ab", rows, strict=True):
        machine.write(name, 0, vectors)
    machine.run(1, range(1))
    assert (machine.read("sum", 0, 1) == rows[0] + rows[1]).all()
    return image, machine


def space_time(image, machine) -> str:
    """The page's table: rows are cycles, columns are stops, from the golden trace and the timeline."""
    schedule, plan = timeline(image), floorplan(image.config)
    cells = {}
    for burst in schedule.bursts:
        if (name := burst.word[0].instr.name) not in ("HALT", "NOP"):
            cells.setdefault((burst.start, burst.queue.unit.stop), []).append(f"**{name}**")
    for record in machine.trace().records:
        if record["kind"] == DRIVE and record["superlane"] == 0:
            stream = Stream.of(int(record["item"]), image.config.streams)
            for cycle in range(int(record["cycle"]), schedule.cycles):
                x = int(record["place"]) + (cycle - int(record["cycle"]))
                cells.setdefault((cycle, x), []).append(str(stream))
    users = {b.queue.unit.stop: b.queue.unit.name for b in schedule.bursts if len(b.word[0].values) > 1}
    heads = [f"{x} {users.get(x, '')}".strip() for x in STOPS]
    assert all(x < len(plan.stops) for x in STOPS)
    lines = [["cycle", *heads], ["---"] * (1 + len(STOPS))]
    for cycle in range(schedule.cycles):
        lines.append([str(cycle), *(" ".join(sorted(cells.get((cycle, x), []))) for x in STOPS)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def test_the_table_is_what_the_golden_model_does():
    image, machine = example()
    assert space_time(image, machine) in PAGE


def test_the_example_is_right_and_one_cycle_off_is_refused():
    image, _ = example()
    assert check(image) == []
    text = re.search(r"```asm\n(.*?)```", PAGE, re.DOTALL)[1]
    for line in ("@0 MEM_W3", "@1 MEM_W1", "@3 VXM0", "@8 MEM_E2"):
        moved = text.replace(line, f"@{int(line[1]) + 1}{line[2:]}")
        assert moved != text and check(assemble(moved)), line


def test_the_numbers_of_the_page():
    image, _ = example()
    assert f"T = {timeline(image).cycles} cycles" in PAGE
    gap = restart_gap(image.config)
    assert f"2*10 + {gap} = {20 + gap}" in PAGE
