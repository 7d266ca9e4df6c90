"""When a queue issues what, for comparison with lists written by hand."""

from sw.asm.image import Image
from sw.asm.timeline import timeline


def issues(image: Image, queue: str) -> list[tuple[str, int]]:
    """(names, cycle) of everything a queue issues, copies written out."""
    return [
        (" | ".join(op.instr.name for op in burst.word), burst.start + k * burst.gap)
        for burst in timeline(image).bursts
        if burst.queue.name == queue
        for k in range(burst.count)
    ]
