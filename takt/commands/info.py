"""`takt info`: what a configuration amounts to."""

import json

import click

from sw.arch.config import Config
from takt.drawing import draw
from takt.facts import facts
from takt.options import config_option


@click.command()
@config_option(default="small", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same facts for a program.")
def command(config: Config, as_json: bool) -> None:
    """Prints floorplan, queues, peaks, bandwidths and memory of a chip.

    \b
    Example:
      takt info --config full
      takt info --config my_chip.toml --json
    """
    known = facts(config)
    click.echo(json.dumps(known, indent=2) if as_json else _text(config, known))


def _text(c: Config, known: dict) -> str:
    memory, width = known["memory"], known["bandwidth"]
    lines = [
        f"Configuration {c.name} ({known['config']['hash']}): {c.lanes} lanes x {c.superlanes} superlanes, "
        f"vectors of {c.vl} bytes, {c.streams} + {c.streams} streams",
        "",
        draw(c),
        "",
        "Queues",
    ]
    for cls, one in known["queues"].items():
        names = one["names"]
        span = names[0] if len(names) == 1 else f"{names[0]} .. {names[-1]}"
        lines.append(f"  {one['count']:5}  {cls:<15} words of {one['bits']:3} bits   {span}")
    total = sum(one["count"] for one in known["queues"].values())
    lines.append(f"  {total:5}  in all, of {c.queue_words:,} words each")
    peaks = known["peaks"]
    lines += [
        "",
        "Peaks, operations a cycle (a multiply-accumulate is 2)",
        *(
            f"  {peaks[kind]:9,}  {kind} in {c.mxm.west + c.mxm.east} planes of {c.vl} x {c.vl}"
            for kind in c.mxm.types
        ),
        f"  {peaks['vector']:9,}  vector, {c.alus} ALUs a lane ({peaks['vector_fp32']:,} in fp32)",
        "",
        "Bandwidths, bytes a cycle",
        f"  {width['sram_read']:9,}  read from SRAM, and {width['sram_write']:,} written",
        f"  {width['streams_at_a_stop']:9,}  on streams at every stop",
        f"  {width['instruction_issue']:9,}  of instruction words issued, one a queue",
        f"  {width['instruction_fetch']:9,.0f}  of program text fetched, one port a stop",
        "",
        "Memory",
        f"  {memory['bytes']:,} bytes ({memory['bytes'] / 2**20:.4g} MiB) in {memory['slices']} slices of "
        f"{memory['words']:,} words of {c.vl} bytes, and {memory['check_bits_per_word']} check bits a word",
        f"  {memory['weights']:,} int8 weights in the planes",
        "",
        f"Iterations start {known['timing']['restart_gap']} cycles apart from end to start; "
        f"a NOTIFY lands after {known['timing']['notify']}.",
    ]
    return "\n".join(lines)
