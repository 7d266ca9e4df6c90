"""The yardstick of the chip's speed: a bare plane of the size of `small` with a pass in every cycle."""

import json
import tempfile
from functools import cache
from pathlib import Path

from figures.figure import Figure, Found
from hdl.export import export
from hdl.mxm.bare import BarePlane
from sw.arch.config import Config, load
from sw.isa.codec import encode, make
from sw.isa.fields import ACC_MODES
from tb.chip import gated, looped
from tb.harness import build, run
from tb.tb_plane import INPUTS, RATE

CYCLES = 100_000
TOP = "plane"


def words(c: Config) -> dict[str, int]:
    """Inputs that keep a plane busy: queues of activations and results issue an int8 pass in every cycle."""
    ports = {"issue_0__valid": 0}
    everywhere = (1 << c.superlanes) - 1
    passes = make("ABC", dtype=0, stream=0)
    sums = make("ACC", dtype=0, mode=ACC_MODES.index("PASS"), row=0, dst=0, stride=0)
    for q, cls, op in ((1, "MXM_A", passes), (2, "MXM_R", sums)):
        ports |= {
            f"issue_{q}__valid": 1,
            f"issue_{q}__word": encode((op,), cls, c),
            f"issue_{q}__mask": everywhere,
        }
    return ports


@cache
def plane_cps() -> float:
    """Simulated cycles per second."""
    config = load("small")
    design = looped(export(BarePlane(config), TOP))
    build_dir = build(gated(design))
    with tempfile.TemporaryDirectory() as folder:
        env = {INPUTS: json.dumps({"cycles": CYCLES, "ports": words(config)})}
        run(build_dir, "tb.tb_plane", test_dir=Path(folder), env=env)
        return float((Path(folder) / RATE).read_text())


FIGURES = (Figure("sim.plane_cps", "cycles/s", lambda: Found(plane_cps(), {"cycles": CYCLES})),)
