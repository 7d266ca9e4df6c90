"""`takt synth`: sizes of the chip on an FPGA."""

import json

import click
from rich.console import Console
from rich.progress import track

from hdl.export import export_chip
from hdl.synth import PART, Sizes, Synthesis
from sw.arch.config import Config
from takt.options import config_option

#: What place and route needs free, as a share of the part.
ROOM = 0.15
#: Modules that are many and small: parts of the units that use them.
PARTS = ("correct_", "operands_", "tap_")


@click.command()
@config_option(default="fpga", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same numbers for a program.")
def command(config: Config, as_json: bool) -> None:
    """Synthesises a chip for the Lattice ECP5 with Yosys and prints what each unit takes.

    Every line is one module with all that it contains but for units that have a line of their own, times its
    instances. CCU2C count as two LUTs. No logic is shared or simplified between units, so that the chip as a whole takes
    at most the sum. Says so if the chip leaves less than 15 % of an 85k-LUT part free.

    \b
    Example:
      takt synth --config fpga
    """
    click.echo(f"Exporting {config.name} ...", err=True)
    design = export_chip(config)
    synthesis = Synthesis(design.text, design.top, tuple(name for name in design.ports if not name.startswith(PARTS)))
    shown = track(synthesis.instances, "Synthesising its modules", console=Console(stderr=True))
    units = [unit for unit in map(synthesis.unit, shown) if unit.one != Sizes()]
    whole = sum((unit.one * unit.instances for unit in units), start=Sizes())
    full = [name for name, limit in PART.items() if getattr(whole, name) > (1 - ROOM) * limit]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "units": {u.name: {"instances": u.instances, "each": vars(u.one)} for u in units},
                    "whole": vars(whole),
                    "part": PART,
                    "tight": full,
                },
                indent=2,
            )
        )
        return
    click.echo(f"{'unit':<32}{'instances':>10}" + "".join(f"{name:>10}" for name in PART) + "  (all instances)")
    for unit in sorted(units, key=lambda u: -u.one.lut * u.instances):
        _line(unit.name, unit.instances, unit.one * unit.instances)
    _line("whole chip", "", whole)
    _line("LFE5U-85F has", "", Sizes(**PART))
    for name in full:
        share = getattr(whole, name) / PART[name]
        click.echo(
            f"Warning: {config.name} takes {share:.0%} of the part's {name}, place and route wants {ROOM:.0%} free."
        )


def _line(name: str, instances: int | str, sizes: Sizes) -> None:
    click.echo(f"{name:<32}{instances:>10}" + "".join(f"{getattr(sizes, key):>10,}" for key in PART))
