"""The simulated hardware for the command line: errors are sentences, waves go where they were asked for."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sw.arch.config import Config
from sw.arch.system import System
from sw.machine import Alone, MachineError, MachineSystem
from takt.files import replacing
from tb.chip import build_chip
from tb.harness import BuildError, SimulationError
from tb.machine import CocotbMachine
from tb.system import CocotbSystem
from tb.toolchain import ToolError


@contextmanager
def machine(c: Config, waves: Path | None) -> Iterator[CocotbMachine]:
    """A simulator for the context; its waves are then written to `waves`. MachineError for failures."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with CocotbMachine(c, build_chip(c, waves=waves is not None), Path(folder)) as made:
                yield made
        except (ToolError, BuildError, SimulationError) as error:
            raise MachineError(str(error)) from error
        if waves is not None:
            with (Path(folder) / "dump.fst").open("rb") as source, replacing(waves) as target:
                shutil.copyfileobj(source, target)


@contextmanager
def machines(system: System, waves: Path | None) -> Iterator[MachineSystem]:
    """The simulated hardware of a system. MachineError for failures."""
    if system.chips == 1:
        with machine(system.config, waves) as made:
            yield Alone(made)
    else:
        if waves is not None:
            raise MachineError(f"Waves are kept of one chip, the program is for {system.chips}.")
        with tempfile.TemporaryDirectory() as folder:
            try:
                with CocotbSystem.of(system, Path(folder)) as made:
                    yield made
            except (ToolError, BuildError, SimulationError) as error:
                raise MachineError(str(error)) from error
