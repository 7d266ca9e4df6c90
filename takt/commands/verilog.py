"""`takt verilog`: the chip as Verilog."""

import json
from pathlib import Path

import click

from hdl.export import export_chip
from hdl.package import package
from sw.arch.config import Config
from takt.files import write_files
from takt.options import config_option, path


@click.command()
@config_option(default="small", show_default=True)
@click.option("-o", "--output", type=path(), required=True, help="The folder that is written.")
@click.option("--json", "as_json", is_flag=True, help="Prints the manifest.")
def command(config: Config, output: Path, as_json: bool) -> None:
    """Writes a chip as plain Verilog, one module per distinct unit.

    The folder gets takt_chip.v; manifest.json with configuration, ports, memories, versions and hash; takt.core
    for FuseSoC; and waivers.vlt, with which `verilator --lint-only -Wall waivers.vlt takt_chip.v` is clean.

    \b
    Example:
      takt verilog --config fpga -o build/verilog/fpga
    """
    click.echo(f"Exporting {config.name} ...", err=True)
    design = export_chip(config)
    files = package(design, config)
    write_files(output, files)
    manifest = json.loads(files["manifest.json"])
    if as_json:
        click.echo(files["manifest.json"], nl=False)
    else:
        modules = len(manifest["modules"])
        click.echo(f"{output}: module {manifest['top']}, {modules} modules, {manifest['lines']:,} lines.")
