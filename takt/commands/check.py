"""`takt check`: what is wrong with a program, before it runs."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sw.arch.config import Config
from sw.asm.timeline import timeline
from sw.check.program import check
from takt.options import config_option, path, read_image


@click.command()
@click.argument("file", type=path())
@config_option()
@click.option("--json", "as_json", is_flag=True, help="Findings for a program.")
def command(file: Path, config: Config | None, as_json: bool) -> None:
    """Proves that FILE, an image or assembly text, runs without a fault, or prints what is wrong with it.

    A finding names unit, queue, cycle and the instructions involved. The status is 1 if there is one.

    \b
    Example:
      takt check examples/copy.takt
    """
    image = read_image(file, config)
    findings = check(image)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    if findings:
        raise click.ClickException(f"{file} has {len(findings)} finding{'s' * (len(findings) > 1)}.")
    if not as_json:
        click.echo(f"{file} is right: {timeline(image).cycles} cycles an iteration on {image.config.name}.")
