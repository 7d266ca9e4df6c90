"""A program in symbolic form: instructions at times, data, regions and labels; and its way into an image."""

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Queue, floorplan
from sw.asm.builder import Moment
from sw.asm.entry import Entry, ProgramError
from sw.asm.image import Image, Region, Segment
from sw.asm.fetch import Row, TextPlan
from sw.asm.lower import lower
from sw.asm.operands import bind
from sw.isa.codec import EncodeError, check, encode
from sw.isa.spec import Instr, Word
from sw.isa.table import fetch_beats


class Program:
    """Instructions at explicit times, in superlane-0 cycles of one iteration, for a chip `config`.

    `at(t)` begins the description of an instruction; instructions of different slots that are given for one queue and
    one time share a word. `data`, `input`, `output` and `label` describe memory. `image()` computes the NOPs, ends
    every queue with HALT in the first free cycle unless the program halts it itself, and gives what the host loads.
    """

    def __init__(self, config: Config):
        self.config = config
        self.floorplan = floorplan(config)
        #: Queue name -> time -> word.
        self.entries: dict[str, dict[int, Entry]] = {queue.name: {} for queue in self.floorplan.queues}
        self.segments: list[Segment] = []
        self.inputs: list[Region] = []
        self.outputs: list[Region] = []
        #: Names of addresses and other numbers.
        self.labels: dict[str, int] = {}
        #: Queue name -> where the words behind its boot part lie.
        self.texts: dict[str, TextPlan] = {}
        self._queues = {queue.name: queue for queue in self.floorplan.queues}
        self._slices = {unit.name: index for index, unit in enumerate(self.floorplan.slices)}

    def at(self, time: int) -> Moment:
        """The builder for instructions that issue in cycle `time`."""
        return Moment(self, time)

    def issue(self, queue: Queue, time: int, instr: Instr, given: dict[str, object]) -> Entry:
        """Puts an instruction, with values as people write them, into the word that a queue issues at `time`."""
        where = f"{instr.name} in queue {queue.name} at cycle {time}"
        if isinstance(time, bool) or not isinstance(time, int | np.integer) or time < 0:
            raise ProgramError(f"{where}: the time must be a number of cycles from 0 on.")
        if instr.name == "REPEAT":
            raise ProgramError(f"{where}: write REPEAT as the entry's repeat(n, gap).")
        try:
            op = bind(instr, self.config, given)
            check(op, self.config, queue.cls)
        except EncodeError as error:
            raise ProgramError(f"Queue {queue.name} at cycle {time}: {error}") from error
        words = self.entries[queue.name]
        entry = words.get(time) or Entry(self.config, queue, int(time))
        entry.put(op)
        words[entry.time] = entry
        return entry

    def queue(self, name: str) -> Queue:
        """The queue with this name; ProgramError for an unknown one."""
        if name not in self._queues:
            raise ProgramError(f"This configuration has no queue '{name}'.")
        return self._queues[name]

    def slice(self, name: str | int) -> int:
        """The number in host order of a MEM slice, given as `E3`, `MEM_E3` or that number."""
        if isinstance(name, str):
            full = name if name.startswith("MEM_") else f"MEM_{name}"
            if full not in self._slices:
                raise ProgramError(f"This configuration has no MEM slice '{name}'.")
            return self._slices[full]
        if not 0 <= name < len(self._slices):
            raise ProgramError(f"There is no MEM slice {name}, the last one is {len(self._slices) - 1}.")
        return name

    def label(self, name: str, value: int) -> None:
        """Names a number, usually an address; ProgramError if the name has another value."""
        if self.labels.setdefault(name, value) != value:
            raise ProgramError(
                f"The name '{name}' already stands for {self.labels[name]}, it cannot be {value}."
            )

    def data(self, where: str | int, addr: int, values, label: str | None = None) -> None:
        """Initial contents of words from `addr` on: an array of any type whose rows, seen as bytes, are vectors.

        Rows shorter than VL are filled with zeros; a one-dimensional array is one row.
        """
        rows = np.atleast_2d(np.ascontiguousarray(values)).view(np.uint8)
        number, vl = self.slice(where), self.config.vl
        if rows.ndim != 2 or rows.shape[1] > vl:
            raise ProgramError(f"Data for word {addr} has rows of {rows.shape[-1]} bytes, a vector has {vl}.")
        self._inside("Data", number, addr, len(rows))
        padded = np.zeros((len(rows), vl), np.uint8)
        padded[:, : rows.shape[1]] = rows
        self.segments.append(Segment(number, addr, padded))
        if label is not None:
            self.label(label, addr)

    def input(self, name: str, where: str | int, addr: int, words: int = 1) -> Region:
        """Declares words that the host writes before a run."""
        return self._region(self.inputs, "input", name, where, addr, words)

    def output(self, name: str, where: str | int, addr: int, words: int = 1) -> Region:
        """Declares words that the host reads after a run."""
        return self._region(self.outputs, "output", name, where, addr, words)

    def text(self, queue: str, boot: int, rows: list[tuple[Row, Row]]) -> None:
        """Leaves `boot` words of a queue to the host and puts the others into memory, for the queue's IFETCHes.

        `rows` gives, for every beat of every fetch in order, the row ((slice, addr)) that a READ drives on the low stream
        and the one on the high stream. The program schedules these READs and the IFETCHes itself.
        """
        name = self.queue(queue).name
        if name in self.texts:
            raise ProgramError(f"The program text of queue {name} is placed twice.")
        if not 0 <= boot <= self.config.queue_words:
            raise ProgramError(f"Queue {name} has {boot} boot words, it holds {self.config.queue_words}.")
        if len(rows) % (beats := fetch_beats(self.config)):
            raise ProgramError(
                f"The text of queue {name} has {len(rows)} pairs of rows, a fetch takes {beats}."
            )
        placed = []
        for pair in rows:
            placed.append(tuple((self.slice(where), addr) for where, addr in pair))
            for where, addr in placed[-1]:
                self._inside(f"The text of queue {name}", where, addr, 1)
        self.texts[name] = TextPlan(boot, tuple(placed))

    def lowered(self) -> dict[str, list[Word]]:
        """The words of every queue, boot part and fetched part together; ProgramError for words that collide."""
        return lower(self.config, self.entries)

    def image(self) -> Image:
        """What the host loads. ProgramError for words that collide or do not fit."""
        boot, memory = {}, list(self.segments)
        for name, words in self.lowered().items():
            queue = self._queues[name]
            numbers = [encode(word, queue.cls, self.config) for word in words]
            if name in self.texts:
                plan = self.texts[name]
                memory.extend(plan.place(numbers[plan.boot :], name, self.config))
                numbers = numbers[: plan.boot]
            if len(numbers) > self.config.queue_words:
                raise ProgramError(
                    f"Queue {name} has {len(numbers)} words, it holds {self.config.queue_words}; "
                    "give the rest as program text for IFETCH."
                )
            boot[name] = tuple(numbers)
        return Image(self.config, boot, tuple(memory), tuple(self.inputs), tuple(self.outputs))

    def _region(self, known: list[Region], kind: str, name: str, where, addr: int, words: int) -> Region:
        number = self.slice(where)
        self._inside(f"The {kind} '{name}'", number, addr, words)
        if any(region.name == name for region in known):
            raise ProgramError(f"There are two {kind}s '{name}'.")
        region = Region(name, number, addr, words)
        known.append(region)
        return region

    def _inside(self, what: str, number: int, addr: int, words: int) -> None:
        last = self.config.mem.words - 1
        if addr < 0 or words < 1 or addr + words - 1 > last:
            name = self.floorplan.slices[number].name
            raise ProgramError(
                f"{what} takes {words} words from {addr} of {name}, which has words 0 to {last}."
            )
