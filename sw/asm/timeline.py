"""What every queue issues, and when: an image unrolled into bursts."""

from dataclasses import dataclass

from sw.arch.floorplan import Queue, floorplan
from sw.asm.burst import Burst, check_copies
from sw.asm.image import Image
from sw.isa.codec import EncodeError, decode


class TimelineError(ValueError):
    """An image whose queues do not run to their HALTs; the text names queue, word and cycle."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """One iteration of an image, in superlane-0 cycles from its cycle 0.

    `bursts` are ordered by start, then by queue; `halts` gives the issue cycle of every queue's HALT by queue name.
    """

    image: Image
    bursts: tuple[Burst, ...]
    halts: dict[str, int]

    @property
    def cycles(self) -> int:
        """T: one more than the issue cycle of the last HALT."""
        return 1 + max(self.halts.values())


def timeline(image: Image) -> Timeline:
    """Runs the queues of an image. TimelineError in a sentence if one of them cannot reach HALT."""
    bursts, halts = [], {}
    for queue in floorplan(image.config).queues:
        halts[queue.name] = _run(image, queue, bursts)
    bursts.sort(key=lambda burst: (burst.start, burst.queue.index))
    return Timeline(image, tuple(bursts), halts)


def _run(image: Image, queue: Queue, bursts: list[Burst]) -> int:
    c = image.config
    mask = (1 << c.superlanes) - 1
    words = [decode(number, queue.cls, c) for number in image.boot[queue.name]]
    now, at = 0, 0
    while at < len(words):
        word = words[at]
        name = word[0].instr.name
        if name == "NOP":
            now, at = now + word[0]["n"], at + 1
            continue
        count, gap, at = 1, 1, at + 1
        if at < len(words) and words[at][0].instr.name == "REPEAT":
            try:
                check_copies(word, words[at][0]["n"], queue.cls, c)
            except EncodeError as error:
                raise TimelineError(f"Queue {queue.name}, cycle {now}: {error}") from error
            count, gap, at = words[at][0]["n"] + 1, words[at][0]["gap"], at + 1
        bursts.append(Burst(queue, word, now, count, gap, mask))
        if name == "HALT":
            return now
        now += (count - 1) * gap + 1
    raise TimelineError(f"Queue {queue.name} never halts: it issues its last word before cycle {now}.")
