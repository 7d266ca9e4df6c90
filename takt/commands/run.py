"""`takt run`: a program on the golden model or on the simulated hardware."""

import csv
import io
import json
import textwrap
from contextlib import ExitStack
from pathlib import Path

import click
import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.stream import Stream
from sw.asm.image import Image, Region
from sw.asm.timeline import timeline
from sw.golden.chip import GoldenMachine
from sw.isa.table import run_cycles
from sw.machine import Machine
from sw.trace import DRIVE, Trace
from takt.files import replacing
from takt.model import MACHINES, Model
from takt.options import config_option, is_compiled, path, read_compiled, read_image


class Assignment(click.ParamType):
    """`NAME=FILE`: an input or output of the program, and a file for it."""

    name = "NAME=FILE.npy"

    def convert(self, value, param, ctx) -> tuple[str, Path]:
        """Name and path."""
        region, equals, file = value.partition("=")
        if not (region and equals and file):
            self.fail(f"'{value}' is not of the form NAME=FILE.npy.", param, ctx)
        return region, Path(file)


@click.command()
@click.argument("file", type=path())
@click.option(
    "--on",
    type=click.Choice(MACHINES),
    default="golden",
    show_default=True,
    help="The golden model, or the Verilog in Verilator (built once a configuration).",
)
@click.option(
    "--iterations", type=click.IntRange(1), default=1, show_default=True, help="Runs, one after the other."
)
@click.option(
    "--input", "inputs", type=Assignment(), multiple=True, help="Fills an input before the run."
)
@click.option(
    "--output", "outputs", type=Assignment(), multiple=True, help="Keeps an output after the run."
)
@click.option("--trace", type=path(), help="Writes every stream drive and memory write as CSV.")
@click.option("--waves", type=path(), help="Writes the waves of --on rtl as FST.")
@click.option("--json", "as_json", is_flag=True, help="The result for a program.")
@config_option()
def command(file, on, iterations, inputs, outputs, trace, waves, as_json, config: Config | None) -> None:
    """Runs FILE, a compiled program, an image or assembly text, and prints its cycles and outputs.

    A compiled program takes and gives tensors of the model's own shapes and types. In an image or assembly text inputs
    and outputs are regions: arrays are vectors, one a row; elements may be of any type, a short row ends in zeros;
    outputs are uint8 [words, VL]. A fault of the chip ends the run with status 1.

    \b
    Example:
      takt run examples/copy.takt --on rtl --input x=x.npy --output y=y.npy
    """
    if waves and on == "golden":
        raise click.UsageError("--waves needs --on rtl, the golden model has no signals.")
    kind = _tensors if is_compiled(file) else _regions
    kind(file, on, iterations, inputs, outputs, trace, waves, as_json, config)


def _tensors(file, on, iterations, inputs, outputs, trace, waves, as_json, config) -> None:
    """Runs a compiled program."""
    model = Model(read_compiled(file, config))
    known = model.outputs
    if trace and model.system.chips > 1:
        raise click.UsageError(f"--trace is of one chip, {file} is for {model.system.chips}.")
    for name, _ in outputs:
        if name not in known:
            raise click.UsageError(f"The program has no output '{name}'; it has {', '.join(known)}.")
    given = {name: _loaded(source) for name, source in inputs}
    with model.session(on, waves) as session:
        results = session.step(given, iterations, range(iterations if trace else 0))
        if trace:
            _write(trace, _csv(session.machine.chips[0].trace()).encode())
    for name, target in outputs:
        _save(target, results[name])
    predicted = run_cycles(model.config, model.cycles, iterations)
    _tell(as_json, on, session.cycles, predicted, results, _tensor)


def _regions(file, on, iterations, inputs, outputs, trace, waves, as_json, config) -> None:
    """Runs an image or assembly text."""
    image = read_image(file, config)
    arrays = [(region, _array(image, region, source)) for region, source in inputs]
    kept = [(_region(image.outputs, "output", region), target) for region, target in outputs]
    with ExitStack() as stack:
        machine = GoldenMachine(image.config) if on == "golden" else _rtl(image.config, waves, stack)
        machine.load(image)
        for region, vectors in arrays:
            machine.write(region, 0, vectors)
        done = machine.run(iterations, range(iterations if trace else 0))
        if trace:
            _write(trace, _csv(machine.trace()).encode())
        if done.fault is not None:
            raise click.ClickException(f"{file}: {done.fault}")
        results = {region.name: machine.read(region.name, 0, region.words) for region in image.outputs}
    for region, target in kept:
        _save(target, results[region.name])
    predicted = run_cycles(image.config, timeline(image).cycles, iterations)
    lanes = image.config.lanes
    _tell(as_json, on, done.cycles, predicted, results, lambda rows: "".join(f"\n  {bytes(r).hex(' ', lanes)}" for r in rows))


def _tell(as_json: bool, on: str, cycles: int, predicted: int, results: dict[str, np.ndarray], text) -> None:
    """Prints cycles and outputs; `text` gives what stands behind an output's name."""
    if as_json:
        shown = {name: array.tolist() for name, array in results.items()}
        click.echo(json.dumps({"on": on, "cycles": cycles, "predicted": predicted, "outputs": shown}))
        return
    where = {"golden": "golden model", "rtl": "RTL"}[on]
    click.echo(f"{cycles:,} cycles on the {where}, {predicted:,} predicted.")
    for name, array in results.items():
        click.echo(f"{name}:{text(array)}")


def _tensor(array: np.ndarray) -> str:
    elements = textwrap.indent(np.array2string(array, max_line_width=110), "  ")
    return f" {array.dtype}{list(array.shape)}\n{elements}"


def _rtl(c: Config, waves: Path | None, stack: ExitStack) -> Machine:
    # The golden model runs without the simulator and what it needs.
    from takt.rtl import machine

    return stack.enter_context(machine(c, waves))


def _region(regions: tuple[Region, ...], kind: str, name: str) -> Region:
    for region in regions:
        if region.name == name:
            return region
    known = ", ".join(region.name for region in regions) or "none"
    raise click.UsageError(f"The program has no {kind} '{name}'; it has {known}.")


def _array(image: Image, name: str, source: Path) -> np.ndarray:
    """The rows of a file as vectors of an input region, uint8 [n, VL]."""
    region, vl = _region(image.inputs, "input", name), image.config.vl
    array = np.atleast_2d(_loaded(source))
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        raise click.UsageError(
            f"{source} holds {array.dtype} {list(array.shape)}, it must be numbers [rows, elements]."
        )
    rows = np.ascontiguousarray(array).view(np.uint8)
    if len(rows) > region.words or rows.shape[1] > vl:
        raise click.UsageError(
            f"{source} has {len(rows)} rows of {rows.shape[1]} bytes, the input '{name}' takes "
            f"{region.words} of {vl}."
        )
    padded = np.zeros((len(rows), vl), np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded


def _loaded(source: Path) -> np.ndarray:
    try:
        with source.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        raise click.UsageError(f"{source} is no array file of numpy: {str(error).rstrip('.')}.") from error


def _save(target: Path, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    _write(target, buffer.getvalue())


def _csv(trace: Trace) -> str:
    """The records of a trace, one a line, places and streams by name."""
    slices, out = floorplan(trace.config).slices, io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["cycle", "event", "place", "item", "superlane", "data (lane 0 first)"])
    for record in trace.records:
        if record["kind"] == DRIVE:
            event = "drive", f"stop {record['place']}", Stream.of(int(record["item"]), trace.config.streams)
        else:
            event = "write", slices[record["place"]].name, record["item"]
        rows.writerow([record["cycle"], *event, record["superlane"], bytes(record["data"]).hex()])
    return out.getvalue()


def _write(target: Path, data: bytes) -> None:
    with replacing(target) as file:
        file.write(data)
