"""The numbers of docs/links.md that come from code."""

from pathlib import Path

import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.network.start import Start
from sw.network.topology import dragonfly, node, racks, ring, torus

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "links.md").read_text()
FULL = load("full")


def test_the_start_of_a_ring_is_as_worked_out():
    """Every word but SYNC that Start puts into the programs of four chips, in program and in system time."""
    start, rows = Start(ring(FULL, 4)), []
    for chip in range(4):
        program = Program(FULL)
        start.write(chip, program)
        words = {}
        for name, entries in program.entries.items():
            for time, entry in entries.items():
                if entry.names != "SYNC":
                    words.setdefault((time, entry.names), []).append(name)
        for (time, what), queues in sorted(words.items()):
            system = "" if what == "DESKEW" else time - start.cycle(chip, 0)
            rows.append(f"| {chip} | {time} | {system} | {what} | {', '.join(f'`{name}`' for name in queues)} |")
    assert "\n".join(rows) in PAGE, "\n".join(rows)


SYSTEMS = {
    "ring of 4": lambda: ring(FULL, 4),
    "ring of 8": lambda: ring(FULL, 8),
    "node of 8": lambda: node(FULL),
    "torus of 8 x 8": lambda: torus(FULL, 8, 8),
    "dragonfly of 33 nodes": lambda: dragonfly(FULL),
    "145 racks": lambda: racks(FULL),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_costs_of_start_and_of_putting_right(name):
    start = Start(SYSTEMS[name]())
    row = f"| {name} | {start.system.chips:,} | {max(start.releases):,} | {start.begin:,} | {start.resume(0)} |"
    assert row in PAGE, row
