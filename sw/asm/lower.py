"""From entries at times to queue words: NOPs, REPEATs, HALTs."""

from sw.arch.config import Config
from sw.asm.entry import Entry, ProgramError
from sw.isa.codec import make
from sw.isa.fields import ICU_FIELDS
from sw.isa.spec import Word

HALT: Word = (make("HALT"),)


def lower(c: Config, entries: dict[str, dict[int, Entry]]) -> dict[str, list[Word]]:
    """The words of every queue. ProgramError where words collide."""
    longest = ICU_FIELDS["n"].limits(c)[1]
    return {name: _lower_queue(words, longest) for name, words in entries.items()}


def _lower_queue(entries: dict[int, Entry], longest: int) -> list[Word]:
    words: list[Word] = []
    free, before = 0, None
    for time in sorted(entries):
        entry = entries[time]
        if before is not None and before.slots.get("icu") == HALT[0]:
            raise ProgramError(
                f"Queue {entry.queue.name} halts at cycle {before.time}, {entry.names} at cycle {time} never issues."
            )
        if time < free:
            raise ProgramError(
                f"Queue {entry.queue.name} is busy with {before.names} of cycle {before.time} until cycle "
                f"{before.last}, {entry.names} cannot issue at cycle {time}."
            )
        words.extend(_nops(time - free, longest))
        words.append(entry.word)
        if entry.copies:
            words.append((entry.repeat_op(entry.copies, entry.gap),))
        free, before = entry.last + 1, entry
    if before is None or before.slots.get("icu") != HALT[0]:
        words.append(HALT)
    return words


def _nops(cycles: int, longest: int):
    while cycles > 0:
        step = min(cycles, longest)
        yield (make("NOP", n=step),)
        cycles -= step
