"""One word of a program at its time."""

from dataclasses import dataclass, field

from sw.arch.config import Config
from sw.arch.floorplan import Queue
from sw.asm.burst import check_copies
from sw.asm.operands import bind
from sw.isa.codec import EncodeError, check
from sw.isa.fields import SLOTS
from sw.isa.spec import Op, Word
from sw.isa.table import instruction


class ProgramError(ValueError):
    """A program that cannot be; the text names queue, instructions and cycles.

    `entry` is the word and `operand` the name of the value at fault, where there is one.
    """

    def __init__(self, sentence: str, entry: "Entry | None" = None, operand: str | None = None):
        super().__init__(sentence)
        self.entry, self.operand = entry, operand


@dataclass(eq=False, slots=True)
class Entry:
    """One word of a queue at a time: its instructions by slot, and how often it repeats."""

    config: Config
    queue: Queue
    time: int
    slots: dict[str, Op] = field(default_factory=dict)
    copies: int = 0
    gap: int = 1

    @property
    def word(self) -> Word:
        """The instructions, in the order in which a word is decoded."""
        if len(self.slots) == 1:
            return tuple(self.slots.values())
        return tuple(self.slots[slot] for slot in SLOTS[self.queue.cls] if slot in self.slots)

    @property
    def names(self) -> str:
        """The instructions' names, for errors."""
        return " | ".join(op.instr.name for op in self.slots.values())

    @property
    def control(self) -> str | None:
        """The name of an instruction-control word, None for words that units execute."""
        op = self.slots.get("icu")
        return None if op is None else op.instr.name

    @property
    def last(self) -> int:
        """The last cycle that the word takes, with its copies."""
        if self.control == "NOP":
            return self.time + self.slots["icu"]["n"] - 1
        return self.time + self.copies * self.gap

    def put(self, op: Op) -> None:
        """Adds an instruction to the word; ProgramError if its slot is taken."""
        slot = op.instr.slot
        if slot in self.slots or "icu" in self.slots or (slot == "icu" and self.slots):
            raise ProgramError(
                f"Queue {self.queue.name} has {self.names} at cycle {self.time}, "
                f"{op.instr.name} does not fit into the same word."
            )
        self.slots[slot] = op
        if self.copies:
            self._check_copies(self.copies)

    def repeat(self, n: int, gap: int = 1) -> "Entry":
        """Issues the word n more times, `gap` cycles apart."""
        if self.copies:
            raise ProgramError(f"{self._where()}: the word is already repeated {self.copies} times.")
        for op in self.slots.values():
            if not op.instr.repeatable:
                raise ProgramError(f"{self._where()}: REPEAT may not follow {op.instr.name}.")
        self.repeat_op(n, gap)
        self._check_copies(n)
        self.copies, self.gap = n, gap
        return self

    def repeat_op(self, n: int, gap: int) -> Op:
        """The checked REPEAT instruction that makes the copies."""
        try:
            op = bind(instruction("REPEAT"), self.config, {"n": n, "gap": gap})
            check(op, self.config, self.queue.cls)
        except EncodeError as error:
            raise ProgramError(f"{self._where()}: {error}") from error
        return op

    def _check_copies(self, n: int) -> None:
        try:
            check_copies(self.word, n, self.queue.cls, self.config)
        except EncodeError as error:
            raise ProgramError(f"{self._where()}: {error}") from error

    def _where(self) -> str:
        return f"{self.names} in queue {self.queue.name} at cycle {self.time}"
