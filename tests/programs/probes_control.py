"""Programs that show when words of the instruction control take effect: plain words, none of them placed by the table."""

from sw.arch.config import Config
from sw.asm.image import Image
from sw.asm.program import Program
from sw.isa.codec import encode, make
from sw.isa.fields import SOURCES
from sw.isa.spec import Op
from tests.programs.stage import Stage

#: What a mark drives on its first stream tells the marks apart.
MARK_STREAM = 4
NUMBERS = range(1, 8)
#: Words that pass by an IFETCH, one a cycle: only the one in its own cycle lets the queue halt.
TEXTS = (*[make("NOP", n=9)] * 2, make("HALT"), *[make("NOP", n=9)] * 2)


def mark(number: int) -> Op:
    """A result whose cycle the trace shows."""
    return make("MOV", dtype=2, a_from=SOURCES.index("IMM"), imm=number, out=1, dst=MARK_STREAM)


def words(c: Config, **queues: list[Op]) -> Image:
    """An image of these words alone, in order."""
    program = Program(c)
    for name, ops in queues.items():
        for op in ops:
            program.append(program.queue(name), (op,))
    return program.image()


def fetch(c: Config, readers: dict[str, int], early: int = 0, texts: tuple[Op, ...] = TEXTS) -> Image:
    """Queues that fetch one word, each in its cycle, and issue it `early` cycles before they may.

    `texts` pass by one a cycle, the middle one in the cycle of the IFETCH. For a chip that brings one word a fetch.
    """
    stage, lead = Stage(c), make("IFETCH").timing(c).d_func - early
    for name, cycle in readers.items():
        queue = stage.program.queue(name)
        raw = [encode((text,), queue.cls, c).to_bytes(16, "little") for text in texts]
        halves = [[], []]
        for text in raw:
            for half, rows in enumerate(halves):
                starts = [(2 * r + half) * c.lanes for r in range(c.superlanes)]
                rows.append([byte for start in starts for byte in text[start : start + c.lanes]])
        for half, rows in enumerate(halves):
            stage.bring(queue.unit.name, half, cycle - len(texts) // 2, rows)
        for op in (make("NOP", n=cycle), make("IFETCH", stream=0), make("NOP", n=lead - 1)):
            stage.program.append(queue, (op,))
    return stage.program.image()
