"""From images back to programs: the disassembler. `show(lift(image))` assembles to the same image."""

from collections import Counter

from sw.asm.fetch import TextPlan
from sw.asm.image import Image, Segment
from sw.asm.lower import lower
from sw.asm.program import Program, ProgramError
from sw.asm.timeline import Timeline, TimelineError, timeline
from sw.isa.codec import decode, encode


def lift(image: Image) -> Program:
    """A program whose image is this one.

    Words get the times at which they issue. Queues whose words the assembler would not write so (NOPs that
    could be one, words behind a HALT), and all queues of an image that cannot run, keep their words in order,
    without times.
    """
    try:
        run = timeline(image)
        timed = _timed(image, run)
        words = lower(image.config, timed.entries)
        plain = _unlike(image, run, timed, words)
    except (TimelineError, ProgramError):
        return _program(image, None, set(image.boot))
    return _program(image, timed, plain)


def _timed(image: Image, run: Timeline) -> Program:
    """All that the queues issue, at its time."""
    program, latest = Program(image.config), {}
    for burst in run.bursts:
        before = latest.get(burst.queue.name)
        free = 0 if before is None else before.last + 1
        if burst.word[0].instr.name == "HALT" and burst.start == free:
            continue
        for op in burst.word:
            entry = program.place(burst.queue, burst.start, op)
        if burst.count > 1:
            entry.repeat(burst.count - 1, burst.gap)
        latest[burst.queue.name] = entry
    return program


def _unlike(image: Image, run: Timeline, timed: Program, words: dict) -> set[str]:
    """Queues that the assembler would write with other words, and those that these release."""
    plain, text = set(), _text_rows(image)
    taken = Counter(row for pairs in run.texts.values() for pair in pairs for row in pair)
    for name, boot in image.boot.items():
        cls = timed.queue(name).cls
        numbers = [encode(word, cls, image.config) for word in words[name]]
        rows = run.texts.get(name, ())
        same = tuple(numbers[: len(boot)]) == boot and (rows or len(numbers) == len(boot))
        if same and rows:
            same = all(taken[row] == 1 for pair in rows for row in pair)
            placed = TextPlan(len(boot), rows).place(numbers[len(boot) :], name, image.config) if same else ()
            same = same and all(part.data.tobytes() == text[part.slice, part.addr] for part in placed)
        if not same:
            plain.add(name)
    if any(burst.word[0].instr.name == "NOTIFY" and burst.queue.name in plain for burst in run.bursts):
        plain |= {burst.queue.name for burst in run.bursts if burst.word[0].instr.name == "SYNC"}
    for name in set(run.texts) - plain:
        timed.texts[name] = TextPlan(len(image.boot[name]), run.texts[name])
    return plain


def _text_rows(image: Image) -> dict[tuple[int, int], bytes]:
    return {
        (s.slice, s.addr + k): row.tobytes() for s in image.memory if s.text for k, row in enumerate(s.data)
    }


def _program(image: Image, timed: Program | None, plain: set[str]) -> Program:
    """The program with queues in `plain` word by word, the others as in `timed`, and the image's memory."""
    program = Program(image.config)
    program.inputs.extend(image.inputs)
    program.outputs.extend(image.outputs)
    for name, boot in image.boot.items():
        queue = program.queue(name)
        if name in plain:
            for number in boot:
                program.append(queue, decode(number, queue.cls, image.config))
        else:
            program.entries[name] = timed.entries[name]
            if name in timed.texts:
                program.texts[name] = timed.texts[name]
    placed = {row for plan in program.texts.values() for pair in plan.rows for row in pair}
    for segment in image.memory:
        for k, row in enumerate(segment.data):
            where = segment.slice, segment.addr + k
            if where not in placed:
                program.segments.append(Segment(*where, row.reshape(1, -1), segment.text))
    return program
