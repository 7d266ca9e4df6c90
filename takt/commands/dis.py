"""`takt dis`: an image back to text."""

from pathlib import Path

import click

from sw.arch.config import Config
from sw.asm.lift import lift
from sw.asm.show import show
from takt.files import replacing
from takt.options import config_option, path, read_image


@click.command()
@click.argument("image", type=path())
@click.option("-o", "--output", type=path(), help="Where the text goes; standard output if left out.")
@config_option()
def command(image: Path, output: Path | None, config: Config | None) -> None:
    """Writes IMAGE as assembly text that assembles to the same image.

    \b
    Example:
      takt dis copy.img
    """
    text = show(lift(read_image(image, config)))
    if output is None:
        click.echo(text, nl=False)
    else:
        with replacing(output) as target:
            target.write(text.encode())
