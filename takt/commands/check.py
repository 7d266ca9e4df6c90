"""`takt check`: what is wrong with a program, before it runs."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sw.arch.config import Config
from sw.arch.system import System
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.bringup.table import Table
from sw.check.program import check
from sw.check.system import check_system
from takt.options import config_option, is_compiled, path, read_compiled, read_image


@click.command()
@click.argument("file", type=path())
@config_option()
@click.option("--links", type=path(), help="A table that `takt bringup` wrote, of the chips on which FILE is to run.")
@click.option("--json", "as_json", is_flag=True, help="Findings for a program.")
def command(file: Path, config: Config | None, links: Path | None, as_json: bool) -> None:
    """Proves that FILE runs without a fault, or prints what is wrong with it.

    FILE is an image, assembly text, or a compiled program. One for several chips is proven by the links that it was
    compiled for; with --links by those of a table, for links may have other latencies after another power-up.
    A finding names chip, unit, queue, cycle and the instructions involved. The status is 1 if there is one.

    \b
    Example:
      takt check examples/copy.takt
      takt check model.prog --links links.toml
    """
    system, images = _programs(file, config, links)
    # Whom a program that stands alone sends to is not known.
    findings = check(images[0]) if system.chips == 1 else check_system(system, images)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    if findings:
        raise click.ClickException(f"{file} has {len(findings)} finding{'s' * (len(findings) > 1)}.")
    if not as_json:
        cycles = max(timeline(image).cycles for image in images)
        where = system.config.name if system.chips == 1 else f"{system.chips} chips '{system.config.name}'"
        click.echo(f"{file} is right: {cycles} cycles an iteration on {where}.")


def _programs(file: Path, config: Config | None, links: Path | None) -> tuple[System, list[Image]]:
    """The chips on which a file's programs are to run, and the programs."""
    if is_compiled(file):
        compiled = read_compiled(file, config).compiled
        system, images = compiled.system, [part.image for part in compiled.parts]
    else:
        image = read_image(file, config)
        system, images = System(image.config, 1), [image]
    if links is not None:
        measured = Table.load(links, system.config).system
        if measured.chips != system.chips:
            chips = f"{system.chips} chip{'s' * (system.chips > 1)}"
            raise click.UsageError(f"{file} is for {chips}, {links} has the links of {measured.chips}.")
        system = measured
    return system, images
