"""The simulated hardware for the command line: errors are sentences, waves go where they were asked for."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sw.arch.config import Config
from sw.machine import MachineError
from takt.files import replacing
from tb.chip import build_chip
from tb.harness import BuildError, SimulationError
from tb.machine import CocotbMachine
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
