"""The simulated hardware for the command line: errors are sentences, waves go where they were asked for."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from sw.arch.config import Config
from sw.arch.system import System
from sw.machine import Alone, MachineError, MachineSystem
from sw.network.topology import IN_NODE
from takt.files import replacing
from tb.chip import build_chip
from tb.harness import BuildError, SimulationError
from tb.machine import CocotbMachine
from tb.system import CocotbSystem, Wire
from tb.toolchain import ToolError

#: Chips that are not alike: how far their clocks are off, in ppm, and how long the cables between them are, in cycles.
OFFSETS, CABLES = (0, 100, -100, 50), tuple(range(IN_NODE, IN_NODE + 5))


@contextmanager
def machine(c: Config, waves: Path | None) -> Iterator[CocotbMachine]:
    """A simulator for the context; its waves are then written to `waves`. MachineError for failures."""
    with _folder() as folder:
        with CocotbMachine(c, build_chip(c, waves=waves is not None), folder) as made:
            yield made
        if waves is not None:
            with (folder / "dump.fst").open("rb") as source, replacing(waves) as target:
                shutil.copyfileobj(source, target)


@contextmanager
def machines(system: System, waves: Path | None) -> Iterator[MachineSystem]:
    """The simulated hardware of a system, by whose latencies its wires are as long and its HACs agree, all clocks exact.
    MachineError for failures."""
    if system.chips == 1:
        with machine(system.config, waves) as made:
            yield Alone(made)
    else:
        if waves is not None:
            raise MachineError(f"Waves are kept of one chip, the program is for {system.chips}.")
        with _folder() as folder, CocotbSystem.of(system, folder) as made:
            yield made


@contextmanager
def wired(system: System, wires: Sequence[Wire], offsets: Sequence[int] = OFFSETS) -> Iterator[CocotbSystem]:
    """Simulated chips that know nothing of their wires and clocks, which are `offsets` ppm off, taken in turn. MachineError for
    failures."""
    clocks = list(islice(cycle(offsets), system.chips))
    with _folder() as folder, CocotbSystem(system, wires, clocks, folder, room=0, sim=False) as made:
        yield made


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for a simulator, which is there as long as that runs."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Path(folder)
        except (ToolError, BuildError, SimulationError) as error:
            raise MachineError(str(error)) from error
