"""From entries at times to queue words: NOPs, REPEATs, HALTs."""

from bisect import bisect_right

from sw.arch.config import Config
from sw.asm.entry import Entry, ProgramError
from sw.isa.codec import make
from sw.isa.fields import ICU_FIELDS
from sw.isa.spec import Word

HALT: Word = (make("HALT"),)


def lower(c: Config, entries: dict[str, dict[int, Entry]]) -> dict[str, list[Word]]:
    """The words of every queue. ProgramError where words collide."""
    longest = ICU_FIELDS["n"].limits(c)[1]
    landings = _landings(c, entries)
    return {name: _lower_queue(words, longest, landings) for name, words in entries.items()}


def _landings(c: Config, entries: dict[str, dict[int, Entry]]) -> list[int]:
    """The cycles in which parked queues are released."""
    cycles = set()
    for words in entries.values():
        for entry in words.values():
            for op in entry.slots.values():
                if op.instr.releases:
                    first = entry.time + op.timing(c).d_func
                    cycles.update(first + k * entry.gap for k in range(entry.copies + 1))
    return sorted(cycles)


def _lower_queue(entries: dict[int, Entry], longest: int, landings: list[int]) -> list[Word]:
    words: list[Word] = []
    free, before = 0, None
    for time in sorted(entries):
        entry = entries[time]
        if time < free:
            raise ProgramError(
                f"Queue {entry.queue.name} is busy with {before.names} of cycle {before.time} until "
                f"cycle {free - 1}, {entry.names} cannot issue at cycle {time}.",
                entry,
            )
        if before is not None and before.control == "HALT":
            raise ProgramError(
                f"Queue {entry.queue.name} halts at cycle {before.time}, "
                f"{entry.names} at cycle {time} never issues.",
                entry,
            )
        words.extend(_nops(time - free, longest))
        words.append(entry.word)
        if entry.copies:
            words.append((entry.repeat_op(entry.copies, entry.gap),))
        free, before = entry.last + 1, entry
        if entry.control == "SYNC":
            free = _release(entry, landings)
    if before is None or before.control != "HALT":
        words.append(HALT)
    return words


def _release(sync: Entry, landings: list[int]) -> int:
    """The cycle in which a queue that parks goes on: the first landing after the SYNC."""
    at = bisect_right(landings, sync.time)
    if at == len(landings):
        raise ProgramError(
            f"Queue {sync.queue.name} is parked by SYNC at cycle {sync.time} for ever, "
            "no NOTIFY lands after it.",
            sync,
        )
    return landings[at]


def _nops(cycles: int, longest: int):
    while cycles > 0:
        step = min(cycles, longest)
        yield (make("NOP", n=step),)
        cycles -= step
