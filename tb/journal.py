"""What was done with chips since they were loaded, so that it can be done again: programs take the same course every time."""

from collections.abc import Callable
from functools import partial

import numpy as np

from sw.asm.image import Image
from sw.machine import MachineError, Run
from tb.link_report import Failure
from tb.machine import CocotbChip
from tb.simulation import Simulation

#: Runs all chips; how each ended, and which link failed, if one did.
Attempt = Callable[[], tuple[list[Run], Failure | None]]


class Journal:
    """Loads, writes and runs of so many chips, in their order, from the last time on that all were loaded."""

    def __init__(self, chips: int):
        self._chips = chips
        self._steps: list[Callable] = []
        self._runs: list[int] = []
        self._loaded: set[int] = set()

    def note(self, step: Callable[[], None], loads: int | None = None) -> None:
        """Something that was done between runs; `loads` is the chip that it was a load of."""
        self._steps.append(step)
        if loads is not None:
            self._loaded.add(loads)
        if len(self._loaded) == self._chips and self._runs:
            self._steps, self._runs = self._steps[self._runs[-1] + 1 :], []

    def ran(self, attempt: Attempt) -> None:
        """A run that came to its end."""
        self._runs.append(len(self._steps))
        self._steps.append(attempt)
        self._loaded.clear()

    def repeat(self) -> Failure | None:
        """Does everything again; the failure of a link that ends it early."""
        for number, step in enumerate(self._steps):
            found = step()
            if number in self._runs and found[1]:
                return found[1]
        return None


class RecordedChip(CocotbChip):
    """A chip whose loads and writes go into a journal."""

    def __init__(self, config, simulation: Simulation, number: int, journal: Journal):
        super().__init__(config, simulation, number)
        self._journal = journal

    def load(self, image: Image) -> None:
        """Loads every queue and all memory segments."""
        super().load(image)
        self.loaded(image)

    def loaded(self, image: Image) -> None:
        """Notes a load."""
        self._journal.note(partial(super().load, image), self.number)

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] in consecutive words."""
        super().write(place, addr, vectors)
        self._journal.note(partial(super().write, place, addr, np.array(vectors)))

    def set_register(self, name: str, value: int) -> None:
        """Writes a register of the host port."""
        super().set_register(name, value)
        self._journal.note(partial(super().set_register, name, value))


def run_and_replay(attempt: Attempt, journal: Journal, replay: int) -> tuple[list[Run], tuple[Failure, ...]]:
    """Runs, and as long as a link fails, all over again, at most `replay` times; the last try, and why others were needed.
    MachineError if that was not enough."""
    failures = []
    runs, found = attempt()
    while found and len(failures) < replay:
        failures.append(found)
        found = journal.repeat()
        if not found:
            runs, found = attempt()
    if found and (replay or not found.fault):
        tries = f"{replay + 1} tries, each of which failed" if replay else "one try"
        raise MachineError(f"A link failed in {tries}: {' '.join(str(one) for one in (*failures, found))}")
    if not any(run.fault for run in runs):
        journal.ran(attempt)
    return runs, tuple(failures)
