"""`takt compile`: a model as a program for a chip, or several."""

from pathlib import Path

import click

from sw.arch.config import Config
from takt.model import SPREADS, compile
from takt.options import config_option, path
from takt.sources import LLAMA_PRECISIONS, ONNX_PRECISIONS
from takt.systems import chips_option, chosen, links_option


@click.command()
@click.argument("model", type=path())
@click.option("-o", "--output", type=path(), required=True, help="The file that the program goes to.")
@click.option(
    "--precision",
    type=click.Choice(tuple(dict.fromkeys((*ONNX_PRECISIONS, *LLAMA_PRECISIONS)))),
    help="Of products: fp32 (default) or fp16 for ONNX, fp16 (default) or int8 for language models.",
)
@click.option("--tokenizer", type=path(), help="llama2.c's file; by default tokenizer.bin beside a checkpoint.")
@click.option("--context", type=click.IntRange(1), help="Positions that a language model keeps; by default all.")
@click.option("--greedy", is_flag=True, help="A language model's program chooses the likeliest token itself, run by run.")
@chips_option()
@links_option()
@click.option("--scheme", type=click.Choice(SPREADS), help="How they share it: heads (default) of language models, else auto.")
@config_option()
def command(
    model: Path, output: Path, precision, tokenizer, context, greedy, chips, links, scheme, config: Config | None
) -> None:
    """Compiles MODEL for a chip, or several, and proves the program by the checker.

    MODEL is an ONNX model (.onnx), a llama2.c checkpoint (.bin), or a folder with config.json and model.safetensors.
    The chip is `small` by default, several are `linked`; with --links they are those of the table.

    \b
    Example:
      takt compile model.onnx --config small -o model.takt.zip
      takt run model.takt.zip --input x=x.npy --output y=y.npy
      takt compile model.onnx --config linked --chips 4 --scheme rows -o model.takt.zip
      takt compile model.onnx --links links.toml -o model.takt.zip
      takt compile model.bin --greedy -o model.takt.zip
      takt run model.takt.zip --iterations 64 --input prompt=prompt.npy --output text=text.npy
    """
    system = chosen(config, chips, links)
    made = compile(model, system, precision, tokenizer, context, greedy, scheme=scheme)
    made.save(output)
    where = made.config.name if system.chips == 1 else f"{system.chips} chips '{made.config.name}'"
    click.echo(f"{output}: {where}, {made.container.about.precision} products, {made.cycles:,} cycles a run.")
