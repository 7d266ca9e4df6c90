"""A program in symbolic form: instructions at times, data, regions and labels; and its way into an image."""

from collections.abc import Mapping

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Queue, floorplan
from sw.asm.builder import Moment
from sw.asm.entry import Entry, ProgramError
from sw.asm.fetch import Row, TextPlan
from sw.asm.image import Image, Region, Segment
from sw.asm.lower import lower
from sw.asm.operands import OperandError, bind
from sw.isa.codec import EncodeError, check, encode
from sw.isa.rows.icu import fetch_beats
from sw.isa.spec import Instr, Op, Word

#: The last cycle in which an instruction may issue.
LAST_CYCLE = (1 << 31) - 1


class Program:
    """Instructions at explicit times, in superlane-0 cycles of one iteration, for a chip `config`.

    `at(t)` begins the description of an instruction; instructions of different slots that are given for one
    queue and one time share a word. `data`, `input`, `output` and `label` describe memory. `image()` computes
    the NOPs, ends every queue with HALT in the first free cycle unless the program halts it itself, and gives
    what the host loads.
    """

    def __init__(self, config: Config):
        self.config = config
        self.floorplan = floorplan(config)
        #: Queue name -> time -> word.
        self.entries: dict[str, dict[int, Entry]] = {queue.name: {} for queue in self.floorplan.queues}
        #: Queue name -> words given one after the other, without times, and taken as they are.
        self.plain: dict[str, list[Word]] = {}
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

    def issue(self, queue: Queue, time: int, instr: Instr, given: Mapping[str, object]) -> Entry:
        """Puts an instruction, with values as people write them, into a queue's word at `time`."""
        try:
            op = self.make(queue, instr, given)
        except ProgramError as error:
            raise ProgramError(
                f"Queue {queue.name} at cycle {time}: {error}", operand=error.operand
            ) from error
        return self.place(queue, time, op)

    def make(self, queue: Queue, instr: Instr, given: Mapping[str, object]) -> Op:
        """An instruction that a queue takes, from values as people write them."""
        try:
            op = bind(instr, self.config, given)
            check(op, self.config, queue.cls)
        except EncodeError as error:
            operand = error.operand if isinstance(error, OperandError) else None
            raise ProgramError(str(error), operand=operand) from error
        return op

    def place(self, queue: Queue, time: int, op: Op) -> Entry:
        """Puts a checked instruction into the word that a queue issues at `time`."""
        where = f"{op.instr.name} in queue {queue.name} at cycle {time}"
        if isinstance(time, bool) or not isinstance(time, int | np.integer) or not 0 <= time <= LAST_CYCLE:
            raise ProgramError(f"{where}: the time must be a cycle from 0 to {LAST_CYCLE}.")
        if op.instr.name == "REPEAT":
            raise ProgramError(f"{where}: REPEAT belongs to a word, write it as that word's repeat.")
        self._only(queue, self.plain, "without a time")
        words = self.entries[queue.name]
        entry = words.get(time) or Entry(self.config, queue, int(time))
        entry.put(op)
        words[entry.time] = entry
        return entry

    def append(self, queue: Queue, word: Word) -> None:
        """Adds a word to a queue whose words are all given in order; no NOP and no HALT is added to them.

        A NOTIFY among such words releases no queue that is given by times.
        """
        self._only(queue, self.entries, "at a time")
        try:
            encode(word, queue.cls, self.config)
        except EncodeError as error:
            raise ProgramError(f"Queue {queue.name}: {error}") from error
        self.plain.setdefault(queue.name, []).append(word)

    def _only(self, queue: Queue, others: Mapping, how: str) -> None:
        if others.get(queue.name):
            raise ProgramError(
                f"Queue {queue.name} already has words that are given {how}, it cannot have both kinds."
            )

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

    def data(self, where: str | int, addr: int, values, label: str | None = None, text: bool = False) -> None:
        """Initial contents of words from `addr` on: an array whose rows, seen as bytes, are vectors.

        Elements have 8, 16 or 32 bits; a list holds bytes. Rows shorter than VL are filled with zeros; one
        dimension is one row. `text` marks program text.
        """
        array = values if isinstance(values, np.ndarray) else np.array(values, np.int16).astype(np.uint8)
        if array.dtype.kind not in "iuf" or array.dtype.itemsize > 4:
            raise ProgramError(
                f"Data for word {addr} is of type {array.dtype}, it must have 8, 16 or 32 bits."
            )
        rows = np.ascontiguousarray(np.atleast_2d(array)).view(np.uint8)
        number, vl = self.slice(where), self.config.vl
        if rows.ndim != 2 or rows.shape[1] > vl:
            raise ProgramError(f"Data for word {addr} has rows of {rows.shape[-1]} bytes, a vector has {vl}.")
        self._inside("Data", number, addr, len(rows))
        padded = np.zeros((len(rows), vl), np.uint8)
        padded[:, : rows.shape[1]] = rows
        self.segments.append(Segment(number, addr, padded, text))
        if label is not None:
            self.label(label, addr)

    def input(self, name: str, where: str | int, addr: int, words: int = 1) -> Region:
        """Declares words that the host writes before a run."""
        return self._region(self.inputs, "input", name, where, addr, words)

    def output(self, name: str, where: str | int, addr: int, words: int = 1) -> Region:
        """Declares words that the host reads after a run."""
        return self._region(self.outputs, "output", name, where, addr, words)

    def text(self, queue: str, boot: int, rows: list[tuple[Row, Row]]) -> None:
        """Leaves `boot` words of a queue to the host and puts the others into memory, for its IFETCHes.

        `rows` gives, for every beat of every fetch in order, the row (slice, addr) that a READ drives on the
        low stream and the one on the high stream. The program schedules these READs and the IFETCHes itself.
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
        """The words of every queue, boot part and fetched part together; ProgramError if words collide."""
        return lower(self.config, self.entries) | self.plain

    def image(self) -> Image:
        """What the host loads. ProgramError for words that collide or do not fit."""
        boot, memory = {}, list(self.segments)
        for name, words in self.lowered().items():
            queue = self._queues[name]
            numbers = [encode(word, queue.cls, self.config) for word in words]
            if name in self.texts and name not in self.plain:
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
