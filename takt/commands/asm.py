"""`takt asm`: assembly text to a binary image."""

from pathlib import Path

import click

from sw.arch.config import Config
from sw.asm.text import assemble
from sw.asm.timeline import timeline
from takt.files import replacing
from takt.options import config_option, path, read_text


@click.command()
@click.argument("file", type=path())
@click.option("-o", "--output", type=path(), required=True, help="The image that is written.")
@config_option()
def command(file: Path, output: Path, config: Config | None) -> None:
    """Assembles the text FILE into a binary image, and prints how many cycles it takes.

    The configuration is the one that the text names with .config, or --config. The language is in
    docs/assembly.md.

    \b
    Example:
      takt asm examples/copy.takt -o copy.img
    """
    image = assemble(read_text(file), config, str(file))
    cycles = timeline(image).cycles
    with replacing(output) as target:
        target.write(image.to_bytes())
    click.echo(f"{output}: {image.config.name}, {cycles} cycles an iteration.")
