"""Plays a schedule through the exported Verilog of a matrix plane."""

from pathlib import Path

from hdl.export import export
from hdl.mxm.bare import BarePlane
from tb.chip import looped
from tests.hdl.mxm_bench import Schedule
from tests.hdl.replay import replay

#: Cycles that are played, the same for all schedules so that they share a build.
ROWS = 640


def play(schedule: Schedule, folder: Path, loops: bool) -> dict[tuple[int, int, int], tuple[int, int]]:
    """What the plane drove: (cycle, superlane, stream code) -> (data, check)."""
    c = schedule.c
    design = export(BarePlane(c, sim=False), "plane")
    design = looped(design) if loops else design
    ports = design.ports["plane"]
    rows = [{name: value for name, value in row.items() if name in ports} for row in schedule.inputs()]
    assert len(rows) <= ROWS, f"the schedule takes {len(rows)} cycles, the player has {ROWS}"
    rows += [{}] * (ROWS - len(rows))
    driven = {}
    for t, answer in enumerate(replay(design, rows, folder)):
        for r in range(c.superlanes):
            valid, west, stream, data, check = (
                answer.get(f"drive_{r}__{name}", 0) for name in ("valid", "west", "stream", "data", "check")
            )
            if valid:
                driven[t, r, stream + c.streams * west] = (data, check)
    return driven
