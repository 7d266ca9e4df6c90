"""From a schedule to a program: words, REPEATs, contents of memory, regions."""

from collections.abc import Iterator

from sw.asm.program import Program
from sw.compiler.chip import Chip
from sw.compiler.lower.lowering import Lowering
from sw.compiler.schedule import Schedule
from sw.compiler.vectors import Copy, Vector
from sw.isa.spec import Op
from sw.isa.table import instruction

#: An instruction in a queue: name and field values.
Item = tuple[str, dict[str, int]]


def unread(lowering: Lowering) -> set[tuple[int, int, int]]:
    """Queue, cycle and word of every WRITE whose copy nobody reads."""
    vectors: dict[int, Vector] = {id(v): v for task in lowering.tasks for v in (*task.makes, *task.needs)}
    return {at for v in vectors.values() for copy in v.copies if not copy.reads for at in copy.writes}


def keep(vector: Vector) -> Copy:
    """The copy of a result that the host reads."""
    copy = next((copy for copy in vector.copies if copy.reads), vector.copies[0])
    copy.count(1)
    return copy


def emit(program: Program, chip: Chip, lowering: Lowering, schedule: Schedule, begin: int = 0) -> None:
    """Puts everything but regions into a program, whose cycle `begin` is the schedule's first."""
    drop, board = unread(lowering), schedule.board
    #: Words of every queue between two pauses, across which nothing repeats.
    stretches: dict[tuple[int, int], dict[int, list[Item]]] = {}
    for queue, cycle, name, values in board.issued:
        if name != "WRITE" or (queue, cycle, values["addr"]) not in drop:
            stretch = cycle // board.pauses.period if board.pauses else 0
            stretches.setdefault((queue, stretch), {}).setdefault(cycle, []).append((name, values))
    for (number, _), words in stretches.items():
        queue = chip.plan.queues[number]
        for cycle, items, copies, gap in _bursts(words):
            for name, values in items:
                entry = program.place(queue, begin + cycle, Op(instruction(name), values))
            if copies:
                entry.repeat(copies, gap)
    for s, word, raw in schedule.memory.contents:
        program.data(s, word, raw)


def _bursts(words: dict[int, list[Item]]) -> Iterator[tuple[int, list[Item], int, int]]:
    """(cycle, instructions with their strides, further copies, cycles between them) of words that repeat each other."""
    cycles = sorted(words)
    at = 0
    while at < len(cycles):
        start, items = cycles[at], words[cycles[at]]
        count, gap, strides = 1, 1, None
        if at + 1 < len(cycles):
            gap = cycles[at + 1] - start
            strides = _strides(items, words[cycles[at + 1]])
            while (
                strides is not None
                and at + count < len(cycles)
                and cycles[at + count] == start + count * gap
                and _follows(items, words[cycles[at + count]], strides, count)
            ):
                count += 1
        if count < (3 if gap == 1 else 2) or gap >= 1 << 12 or count > 1 << 16:
            yield start, items, 0, 1
            at += 1
            continue
        yield start, [_strided(item, stride) for item, stride in zip(items, strides, strict=True)], count - 1, gap
        at += count


def _strides(first: list[Item], second: list[Item]) -> list[int] | None:
    """How far each instruction's strided field moves from a word to the next; None if they are not alike."""
    if [name for name, _ in first] != [name for name, _ in second]:
        return None
    strides = []
    for (name, a), (_, b) in zip(first, second, strict=True):
        moving = instruction(name).strides
        field = moving[0][0] if moving else None
        if any(a[key] != b[key] for key in a if key != field):
            return None
        stride = b[field] - a[field] if field else 0
        limit = 1 << (9 if field == "addr" else 5)
        if not -limit <= stride < limit:
            return None
        strides.append(stride)
    return strides


def _follows(first: list[Item], other: list[Item], strides: list[int], count: int) -> bool:
    if len(first) != len(other):
        return False
    for (name, a), (name_b, b), stride in zip(first, other, strides, strict=True):
        moving = instruction(name).strides
        field = moving[0][0] if moving else None
        if name != name_b or any(b[key] != a[key] + (count * stride if key == field else 0) for key in a):
            return False
    return True


def _strided(item: Item, stride: int) -> Item:
    name, values = item
    moving = instruction(name).strides
    return name, values | {moving[0][1]: stride} if moving else values
