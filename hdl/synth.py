"""Synthesis for the Lattice ECP5, unit by unit."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pyosys import libyosys as ys

#: An LFE5U-85F.
PART = {"lut": 83_640, "ff": 83_640, "dsp": 156, "ram": 208}
#: Cell -> what it takes: CCU2C is a carry over two LUTs, distributed RAM sits in four.
_CELLS = {
    "LUT4": ("lut", 1),
    "CCU2C": ("lut", 2),
    "TRELLIS_DPR16X4": ("lut", 4),
    "TRELLIS_FF": ("ff", 1),
    "MULT18X18D": ("dsp", 1),
    "DP16KD": ("ram", 1),
}


@dataclass(frozen=True)
class Sizes:
    """LUT4s, flip-flops, MULT18X18D and DP16KD blocks."""

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    ram: int = 0

    def __add__(self, other: "Sizes") -> "Sizes":
        return Sizes(**{key: getattr(self, key) + getattr(other, key) for key in PART})

    def __mul__(self, times: int) -> "Sizes":
        return Sizes(**{key: getattr(self, key) * times for key in PART})


@dataclass(frozen=True)
class Unit:
    """A module, how often it stands in the design, and what one takes without the units inside it."""

    name: str
    instances: int
    one: Sizes


def synthesise(text: str, top: str, units: tuple[str, ...]) -> list[Unit]:
    """Sizes of the modules `units` of a Verilog design, each with the other modules inside it."""
    with tempfile.TemporaryDirectory() as folder:
        source, report = Path(folder) / "design.v", Path(folder) / "report.json"
        source.write_text(text)
        design = ys.Design()
        for command in (
            f"read_verilog {source}",
            f"hierarchy -check -top {top}",
            *(f"setattr -mod -set keep_hierarchy 1 {name}" for name in units),
            f"synth_ecp5 -top {top} -run :check",
            f"tee -q -o {report} stat -json",
        ):
            ys.Pass.call(design, command if command.startswith("tee") else f"tee -q {command}")
        modules = json.loads(report.read_text())["modules"]
    cells = {name.lstrip("\\"): module["num_cells_by_type"] for name, module in modules.items()}
    counts = _instances(cells, top)
    return [Unit(name, counts[name], _sizes(cells[name])) for name in cells if counts.get(name)]


def _instances(cells: dict[str, dict[str, int]], top: str) -> dict[str, int]:
    counts: dict[str, int] = {}

    def visit(name: str, times: int) -> None:
        counts[name] = counts.get(name, 0) + times
        for used, number in cells[name].items():
            if (inner := used.lstrip("\\")) in cells:
                visit(inner, times * number)

    visit(top, 1)
    return counts


def _sizes(cells: dict[str, int]) -> Sizes:
    total = dict.fromkeys(PART, 0)
    for cell, number in cells.items():
        if cell in _CELLS:
            kind, weight = _CELLS[cell]
            total[kind] += weight * number
    return Sizes(**total)
