"""One schedule for all chips: the tasks of all, and what goes between them."""

from sw.arch.system import System
from sw.compiler.board import Pauses
from sw.compiler.graph import GraphError
from sw.compiler.schedule import Schedule, ordered, search
from sw.compiler.tasks import Arrival, Departure, Task
from sw.compiler.transfers import Transfers


class Joint:
    """Places all tasks of all chips on one count of cycles, that of the system's time from where all chips run.

    pauses : when clocks are put right, which `schedules` keep free
    """

    def __init__(self, system: System, schedules: list[Schedule], pauses: Pauses | None = None):
        self.schedules, self._pauses = schedules, pauses
        self.transfers = Transfers(system, schedules[0].chip, [one.router for one in schedules])
        self._chip = {task: number for number, one in enumerate(schedules) for task in one.lowering.tasks}
        arrivals = {(task.number, task.part): task for task in self._chip if isinstance(task, Arrival)}
        self._arrival = {task: arrivals[task.number, task.part] for task in self._chip if isinstance(task, Departure)}
        for task, arrival in self._arrival.items():
            if not self.transfers.joined(*self._ends(task)):
                source, target = self._ends(task)
                raise GraphError(f"'{task.name}' goes from chip {source} to chip {target}, which no link joins.")
            arrival.after.add(task)
        for task in ordered(list(self._chip), self._latency):
            if isinstance(task, Departure):
                self._transfer(task, self._arrival[task])
            elif not isinstance(task, Arrival):
                schedules[self._chip[task]].place(task)
        self.transfers.number()

    @property
    def pauses(self) -> range:
        """The first cycles of the pauses that are needed, up to the last transfer."""
        if self._pauses is None:
            return range(0)
        first = self._pauses.period - self._pauses.length
        return range(first, self.transfers.end, self._pauses.period)

    def _ends(self, task: Departure) -> tuple[int, int]:
        return self._chip[task], self._chip[self._arrival[task]]

    def _latency(self, task: Task) -> int:
        if isinstance(task, Departure):
            return self.transfers.latency(task, *self._ends(task))
        return 0 if isinstance(task, Arrival) else self.schedules[self._chip[task]].latency(task)

    def _transfer(self, task: Departure, arrival: Arrival) -> None:
        ends = self._ends(task)
        search(task, self.transfers.earliest(task, *ends), lambda at: self.transfers.place(task, arrival, at, *ends))
        self.schedules[ends[0]].settle(task)
