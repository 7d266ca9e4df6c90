"""One schedule for all chips: the tasks of all, and what goes between them."""

from sw.arch.system import System
from sw.compiler.graph import GraphError
from sw.compiler.schedule import Schedule, ordered, search
from sw.compiler.tasks import Arrival, Departure, Task
from sw.compiler.transfers import Transfers


class Joint:
    """Places all tasks of all chips on one count of cycles, that of the system's time from where all chips run."""

    def __init__(self, system: System, schedules: list[Schedule]):
        self.schedules = schedules
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
