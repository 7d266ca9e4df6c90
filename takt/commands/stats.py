"""`takt stats`: what a program does with its chip."""

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from sw.arch.config import Config
from sw.compiler.bounds import REASONS
from sw.compiler.stats import USES, statistics
from takt.model import Model
from takt.options import config_option, is_compiled, path, read_compiled, read_image

#: What the queues of a class do.
KINDS = {
    "MEM": "memory slices",
    "VXM": "ALUs of the vector unit",
    "MXM_W": "weights into planes",
    "MXM_A": "passes over planes",
    "MXM_R": "sums out of planes",
}


@click.command()
@click.argument("program", type=path())
@click.option("--json", "as_json", is_flag=True, help="Everything, for a program.")
@config_option()
def command(program: Path, as_json: bool, config: Config | None) -> None:
    """Prints cycles, how busy units are, what memory holds, traffic, and least cycles by reason.

    PROGRAM is what `takt compile` wrote, an image or assembly text; bounds are known of compiled programs.

    \b
    Example:
      takt stats model.takt.zip
      takt stats model.takt.zip --json
    """
    if is_compiled(program):
        found = Model(read_compiled(program, config)).stats
    else:
        found = statistics(read_image(program, config))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    console = Console()
    chips = found.get("chips", [found])
    for number, one in enumerate(chips):
        where = f"{program}, chip {number}" if len(chips) > 1 else str(program)
        console.print(f"{where}: {one['cycles']:,} cycles on {one['config']}.", highlight=False, soft_wrap=True)
        if number == 0 and "bounds" in found:
            console.print(_bounds(found["bounds"], one))
        for made in (_units(one), _traffic(one), _memory(one)):
            console.print(made)


def _bounds(least: dict, found: dict) -> Table:
    binding = max(least, key=least.get)
    made = _table("Least cycles, as if nothing else took time", "reason", "cycles", "of the program's")
    for key, cycles in least.items():
        note = ", binds" if key == binding else ""
        made.add_row(f"{REASONS[key]}{note}", f"{cycles:,}", f"{cycles / found['cycles']:.1%}")
    return made


def _units(found: dict) -> Table:
    made = _table("Queues by kind, busy in this share of all cycles", "kind", "queues", "words issued", "mean", "busiest")
    for cls, one in found["kinds"].items():
        shares = f"{one['busy']:.1%}", f"{one['busiest']:.1%}"
        made.add_row(f"{cls}: {KINDS.get(cls, 'switch engines')}", str(one["queues"]), f"{one['issues']:,}", *shares)
    return made


def _traffic(found: dict) -> Table:
    made = _table("Traffic", "what", "bytes", "a cycle", "of the peak")
    names = {"read": "read from SRAM", "written": "written to SRAM", "streams": "put on streams"}
    for key, one in found["traffic"].items():
        made.add_row(names[key], f"{one['bytes']:,}", f"{one['bytes_a_cycle']:,.1f}", f"{one['share']:.1%}")
    return made


def _memory(found: dict) -> Table:
    made = _table("Words of memory, of each slice", "slice", *USES, "free")
    for one, group in groupby(found["memory"].items(), key=itemgetter(1)):
        names = [name for name, _ in group]
        if any(one[use] for use in USES):
            span = names[0] if len(names) == 1 else f"{names[0]} .. {names[-1]}"
            made.add_row(span, *(f"{one[use]:,}" for use in (*USES, "free")))
    whole = {use: sum(one[use] for one in found["memory"].values()) for use in (*USES, "free")}
    made.add_section()
    made.add_row("all slices", *(f"{count:,}" for count in whole.values()))
    longest = max(found["queues"].items(), key=lambda item: item[1]["boot_words"] + item[1]["fetched_words"], default=None)
    if longest:
        name, one = longest
        words = sum(queue["boot_words"] + queue["fetched_words"] for queue in found["queues"].values())
        made.caption = (
            f"{words:,} words in {len(found['queues'])} queues; the most in {name}: {one['boot_words']:,} from the "
            f"beginning and {one['fetched_words']:,} fetched"
        )
    return made


def _table(title: str, first: str, *others: str) -> Table:
    made = Table(title=title)
    made.add_column(first)
    for name in others:
        made.add_column(name, justify="right")
    return made
