"""`takt quantize-report`: what INT8 products cost a language model in precision."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from sw.arch.config import Config
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph
from sw.compiler.llama.build import decoder
from sw.compiler.llama.generate import generate
from sw.compiler.llama.int8 import int8_decoder
from sw.compiler.llama.sample import Sampler
from sw.compiler.llama.tokenizer import BOS
from sw.compiler.quantize import Scheme
from sw.compiler.quantize_report import QuantizeReport, compared
from takt.files import replacing
from takt.options import config_option, path
from takt.sources import checkpoint, shipped

#: Formats of a plot by the end of its name.
PLOTS = (".png", ".svg")
#: Of the text that is compared on; the calibration's have lower numbers.
SEED = 1000


@click.command()
@click.argument("model", type=path(), required=False)
@click.option("--tokens", type=click.IntRange(1), default=64, show_default=True, help="Length of the text compared on.")
@click.option("--bits", type=click.Choice(["8", "16"]), default="16", show_default=True, help="Of activations.")
@click.option("--dynamic", is_flag=True, help="Scales of activations found on the chip, for each vector.")
@click.option("--plot", type=path(), help="Draws the errors as PNG or SVG; needs matplotlib.")
@click.option("--json", "as_json", is_flag=True, help="The errors for a program.")
@config_option(default="small", show_default=True)
def command(model: Path | None, tokens: int, bits: str, dynamic: bool, plot: Path | None, as_json, config: Config) -> None:
    """Prints how far INT8 products are from floating point, product by product, on text of the model's own.

    MODEL is a llama2.c .bin file or a folder with config.json and model.safetensors, by default the model that comes
    with Takt. Products are calibrated on other text.

    \b
    Example:
      takt quantize-report --bits 8 --dynamic --plot errors.svg
    """
    if plot and plot.suffix not in PLOTS:
        raise click.UsageError(f"{plot} is neither a PNG nor an SVG file by its name.")
    figure = _figure() if plot else None
    read = checkpoint(model or shipped())
    exact = decoder(read, config.vl)
    quantized = int8_decoder(read, config.vl, scheme=Scheme(int(bits), dynamic))
    report = compared(exact, quantized, _text(exact, config.vl, min(tokens, read.context), read.context), config.vl)
    if figure:
        _draw(figure, report, plot)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        Console().print(_table(report))


def _text(graph: Graph, vl: int, tokens: int, context: int) -> list[dict[str, np.ndarray]]:
    """Inputs of consecutive runs: a text that the model draws."""
    said = generate(Evaluator(graph, vl).run, [BOS], Sampler(1.0, seed=SEED), tokens, context)
    return [{"token": np.int16([[one.previous]]), "position": np.int16([[one.position]])} for one in said]


def _table(report: QuantizeReport) -> Table:
    made = Table(title="Errors of INT8 products, all before them in INT8 too")
    made.add_column("value")
    for name in ("signal to noise", "largest error", "rms of the value"):
        made.add_column(name, justify="right")
    for group in (report.products, report.outputs):
        for one in group:
            made.add_row(one.name, f"{one.sqnr_db:.1f} dB", f"{one.largest:.3g}", f"{one.rms:.3g}")
        made.add_section()
    return made


def _figure():
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise click.UsageError("A plot needs matplotlib, which is not installed: pip install matplotlib.") from error
    return Figure(figsize=(8, 10), layout="constrained")


def _draw(figure, report: QuantizeReport, target: Path) -> None:
    errors = [*report.products, *report.outputs]
    axes = figure.add_subplot()
    axes.barh([one.name for one in errors], [one.sqnr_db for one in errors])
    axes.invert_yaxis()
    axes.set_xlabel("signal to noise, dB")
    axes.set_title("INT8 products against floating point")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=target.suffix[1:])
    with replacing(target) as file:
        file.write(buffer.getvalue())
