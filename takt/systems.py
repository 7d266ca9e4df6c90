"""The chips that a command is for: one or several that are all joined, or those of a table of links."""

from pathlib import Path

import click

from sw.arch.config import Config, load
from sw.arch.system import System
from sw.bringup.table import Table
from takt.model import joined
from takt.options import path


def chips_option():
    """`--chips`."""
    return click.option("--chips", type=click.IntRange(1), help="Chips that share the work, all joined; by default one.")


def links_option():
    """`--links`."""
    return click.option(
        "--links", type=path(), help="A table that `takt bringup` wrote: its chips share the work, by the links as measured."
    )


def chosen(config: Config | None, chips: int | None, links: Path | None) -> System:
    """The chips that `--config`, `--chips` and `--links` name, where they do: one `small`, several `linked`, or a table's.

    With a table `config` only says what its chips are, if they are no preset. UsageError for a number of chips besides a
    table, ConfigError for what cannot be joined, or a table that is none or of other chips.
    """
    if links is None:
        count = chips or 1
        return joined(config or load("small" if count == 1 else "linked"), count)
    system = Table.load(links, config).system
    if chips is not None:
        raise click.UsageError(f"--chips is {chips}, but {links} says it: it has the links of {system.chips}.")
    return system
