"""The command `takt`: its subcommands, and how errors of the user end: one sentence and status 1."""

import sys
from importlib import import_module

import click

from sw.arch.config import ConfigError
from sw.arch.version import VERSION
from sw.asm.entry import ProgramError
from sw.asm.image import ImageError
from sw.asm.text import AssemblyError
from sw.asm.timeline import TimelineError
from sw.bringup.bringup import BringUpError
from sw.compiler.compiled import CompileError
from sw.compiler.container import ContainerError
from sw.compiler.graph import GraphError
from sw.compiler.llama.checkpoint import CheckpointError
from sw.compiler.llama.sample import GenerateError
from sw.compiler.llama.tokenizer import TokenizerError
from sw.golden.error import GoldenError
from sw.machine import MachineError

#: What a user can get wrong; everything else is a bug and shows its traceback.
USER_ERRORS = (
    ConfigError,
    ProgramError,
    ImageError,
    AssemblyError,
    TimelineError,
    GoldenError,
    MachineError,
    BringUpError,
    CompileError,
    ContainerError,
    GraphError,
    CheckpointError,
    TokenizerError,
    GenerateError,
    OSError,
)
COMMANDS = (
    "info", "asm", "dis", "check", "bringup", "compile", "run", "llama", "stats", "quantize-report", "verilog", "synth"
)  # fmt: skip


class Commands(click.Group):
    """Imports a subcommand, and the tools behind it, when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The subcommand in the module of its name."""
        return import_module(f"takt.commands.{name.replace('-', '_')}").command if name in COMMANDS else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="takt %(version)s")
def takt() -> None:
    """Builds, programs and proves deterministic tensor streaming processors.

    \b
    A first round, from a clone:
      takt info --config small             what the chip looks like and can do
      takt asm examples/copy.takt -o copy.img
      takt check copy.img                  what is wrong with it before it runs
      takt run copy.img --on golden        what it computes, and in how many cycles
      takt verilog --config small -o build/verilog/small
      takt llama --prompt "And Moses said"  a language model on the chip, token by token

    A configuration is a preset (tiny, fpga, small, linked, full) or a TOML file; docs/config.md lists its entries.
    `takt COMMAND --help` explains a command with an example.
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, or 1 after a sentence about what the user has to change."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = takt.main(given or ["--help"], prog_name="takt", standalone_mode=False)
    except click.ClickException as error:
        status = error.format_message()
    except click.Abort:
        status = "Interrupted."
    except USER_ERRORS as error:
        status = _sentence(error)
    sys.exit(status)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename2 or error.filename}: {error.strerror}."
    return str(error)
