"""Synthesis for the Lattice ECP5, unit by unit."""

from dataclasses import dataclass
from importlib import resources

from hdl.yosys import Yosys

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
#: Makes wide multiplexers of PFUMX and L6MUX21; ABC alone takes half as many LUTs again for those of the streams.
_MUXES = ("simplemap", "muxcover -mux8=400 -mux16=800", f"techmap -map {resources.files('hdl') / 'ecp5_mux.v'}", "clean")
#: ABC looking at area alone, five times over.
_SMALL = "abc -lut 4 -script +strash;" + 4 * "dch,-f;if,-K,4,-a;mfs2,-a;strash;" + "dch,-f;if,-K,4,-a;mfs2,-a;lutpack,-S,1"
#: Ways from gates to LUTs, of which none is the smallest for all units: Yosys's own mapping for the part is `abc9`.
_MAPPINGS = ((*_MUXES, "abc9 -W 300"), (*_MUXES, _SMALL), (_SMALL,))


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


class Synthesis:
    """A Verilog design on its way to an ECP5, module by module.

    Of the modules `units`, each one that the design uses is synthesised on its own, around what it instantiates of the
    others, mapped in several ways of which the smallest counts. All other modules are parts of the units that use them.
    Before, constants and signals that nobody uses are followed across the borders between units, as far as all instances of a
    unit agree; logic is not. So the sum over the units is an upper bound of what the design takes as a whole.

    `instances` : how often each unit stands in the design, the top first.
    """

    def __init__(self, text: str, top: str, units: tuple[str, ...]):
        self._yosys = Yosys(text)
        self._yosys.run(
            f"hierarchy -check -top {top}",
            "proc",
            *(f"setattr -mod -set keep_hierarchy 1 {name}" for name in units),
            "flatten",
            # Initial values are those after reset; on the bits of ports that nobody uses they would contradict each other.
            "setattr -unset init w:*",
            "opt_clean",
        )
        before, cells = None, self._cells()
        while cells != before:
            # cells of which a part is used come apart, so that the rest of them goes
            self._yosys.run("opt_hier", "opt_expr", "splitcells", "opt_clean")
            before, cells = cells, self._cells()
        self._yosys.run(f"design -save {top}")
        self._top, self._inside = top, {name: [use for use in uses if use in cells] for name, uses in cells.items()}
        self.instances = _instances(cells, top)

    def unit(self, name: str) -> Unit:
        """Synthesises one unit."""
        inside = self._inside[name]
        gone = [other for other in self._inside if other != name and other not in inside]
        self._yosys.run(
            f"design -load {self._top}",
            *(f"delete {other}" for other in gone),
            *(f"blackbox {other}" for other in inside),
            f"synth_ecp5 -nowidelut -top {name} -run :map_luts",
            "design -save gates",
        )
        found = []
        for mapping in _MAPPINGS:
            self._yosys.run(
                "design -load gates", *mapping, "clean", f"synth_ecp5 -nowidelut -top {name} -run map_cells:check"
            )
            found.append(_sizes(self._cells()[name]))
        return Unit(name, self.instances[name], min(found, key=lambda sizes: sizes.lut))

    def _cells(self) -> dict[str, dict[str, int]]:
        """Module -> kind of cell -> number of such cells."""
        modules = self._yosys.report("stat -json")["modules"]
        return {
            _plain(name): {_plain(kind): number for kind, number in module["num_cells_by_type"].items()}
            for name, module in modules.items()
        }


def _plain(name: str) -> str:
    return name.removeprefix("\\")


def _instances(cells: dict[str, dict[str, int]], top: str) -> dict[str, int]:
    counts: dict[str, int] = {}

    def visit(name: str, times: int) -> None:
        counts[name] = counts.get(name, 0) + times
        for used, number in cells[name].items():
            if used in cells:
                visit(used, times * number)

    visit(top, 1)
    return counts


def _sizes(cells: dict[str, int]) -> Sizes:
    total = dict.fromkeys(PART, 0)
    for cell, number in cells.items():
        if cell in _CELLS:
            kind, weight = _CELLS[cell]
            total[kind] += weight * number
    return Sizes(**total)
