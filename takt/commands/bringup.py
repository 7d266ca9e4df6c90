"""`takt bringup`: what the links of simulated chips are like, as a table that programs are made by."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from rich import table as rich
from rich.console import Console

from sw.arch.config import Config
from sw.bringup.bringup import BringUp
from sw.bringup.table import Table
from takt.files import replacing
from takt.model import joined
from takt.options import config_option, path
from takt.rtl import CABLES, OFFSETS, wired
from tb.system import LONGEST, Wire, wires_of


class Numbers(click.ParamType):
    """Whole numbers with commas between them, each between two limits."""

    name = "N,N,..."

    def __init__(self, low: int, high: int):
        self._low, self._high = low, high

    def convert(self, value, param, ctx) -> tuple[int, ...]:
        """The numbers."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(map(int, value.split(",")))
        except ValueError:
            self.fail(f"'{value}' is not of the form N,N,... with whole numbers.", param, ctx)
        for number in found:
            if not self._low <= number <= self._high:
                self.fail(f"{number} is not in the range {self._low} to {self._high}.", param, ctx)
        return found


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


@click.command()
@config_option(default="linked", show_default=True)
@click.option("--chips", type=click.IntRange(2), default=2, show_default=True,
              help="Chips; every two are joined by as many cables as their ports allow.")  # fmt: skip
@click.option("--ppm", type=Numbers(-1_000, 1_000), default=_listed(OFFSETS), show_default=True,
              help="How far clocks are off, in millionths of a period, taken in turn by the chips.")  # fmt: skip
@click.option("--cables", type=Numbers(0, LONGEST), default=_listed(CABLES), show_default=True,
              help="Lengths in cycles, taken in turn by the cables.")  # fmt: skip
@click.option("-o", "--output", type=path(), help="The table that is written, for --links of other commands.")
def command(config: Config, chips: int, ppm: tuple[int, ...], cables: tuple[int, ...], output: Path | None) -> None:
    """Brings up the links of simulated chips, each on its own clock, and prints what is measured.

    The chips are the Verilog in Verilator. A link that fails is told in a sentence, and the status is 1; the table then
    has the others. docs/links.md says what is done, and what a sentence means.

    \b
    Example:
      takt bringup --config linked --chips 4 -o links.toml
      takt compile model.bin --links links.toml -o model.prog
    """
    for chip, offset in enumerate(ppm[:chips]):
        if abs(offset) > config.c2c.ppm:
            raise click.UsageError(
                f"--ppm has {offset} for chip {chip}, clocks of '{config.name}' are at most {config.c2c.ppm} off (c2c.ppm)."
            )
    system = joined(config, chips)
    wires = wires_of(system, cables)
    with ExitStack() as stack:
        # First, so that nobody waits for a table that cannot be written.
        file = stack.enter_context(replacing(output)) if output else None
        click.echo(f"Preparing the simulator of {chips} chips '{config.name}'; the first time takes minutes ...", err=True)
        machine = stack.enter_context(wired(system, wires, ppm))
        click.echo("Bringing up the links ...", err=True)
        found = BringUp(machine, system)
        if file:
            file.write(found.table.to_toml().encode())
    _show(found.table, wires)
    for failure in found.failures:
        click.echo(str(failure))
    if found.failures:
        kept = f"; {output} has the others" if output else ""
        raise click.ClickException(f"{len(found.failures)} of {len(system.links)} links fail{kept}.")
    click.echo(f"{f'{output}: all' if output else 'All'} {len(system.links)} links work.")


def _show(table: Table, wires: Sequence[Wire]) -> None:
    console = Console()
    console.print(_links(table, {(wire.source, wire.target): wire.delay for wire in wires}))
    console.print(_clocks(table))


def _links(table: Table, lengths: dict) -> rich.Table:
    system = table.system
    title = f"Links of {system.chips} chips '{system.config.name}', in cycles"
    made = _columns(title, "from", "to", "cable", "latency", "ages vary by")
    for link, spread in zip(system.links, table.spreads, strict=True):
        cycles = lengths[link.source, link.target], link.latency, spread
        made.add_row(str(link.source), str(link.target), *map(str, cycles))
    return made


def _clocks(table: Table) -> rich.Table:
    made = _columns("Whose counter (HAC) each follows", "chip", "follows", "by port", "cycles later", "register HAC")
    for chip, follow in sorted(table.follows.items()):
        made.add_row(*map(str, (chip, follow.parent, follow.port, follow.lead)), f"0x{follow.register:X}")
    return made


def _columns(title: str, *names: str) -> rich.Table:
    made = rich.Table(title=title)
    for name in names:
        made.add_column(name, justify="right")
    return made
