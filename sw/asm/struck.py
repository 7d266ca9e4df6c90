"""Which vector a fault of a link cost: hardware tells queue and cycle, the program what the queue was about then."""

from dataclasses import dataclass

from sw.arch.hostmap import Fault
from sw.arch.links import frame_words
from sw.arch.system import Link
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.isa.table import instruction, restart_gap

LINK_FAULTS = (Fault.LINK_UNDERRUN.name, Fault.LINK_OVERRUN.name, Fault.LINK_FRAME.name)
_USERS = ("RECEIVE", "FORWARD", "ALIGN")


@dataclass(frozen=True)
class Struck:
    """What a link was to bring when a fault struck: to receive port `port`, for instruction `op`, which issues in `cycle` of
    an iteration as the `order`-th of its kind in its queue (from 0), the frame with this number (RECEIVE knows it)."""

    port: int
    op: str
    cycle: int
    order: int
    iteration: int
    frame: int | None = None
    link: Link | None = None

    def __str__(self) -> str:
        link = str(self.link) if self.link else f"the link to port {self.port}"
        what = {"RECEIVE": f"frame {self.frame}", "FORWARD": "a frame to pass on", "ALIGN": "the mark"}[self.op]
        again = f" of iteration {self.iteration}" if self.iteration else ""
        return f"{what} of {link}, for {self.op} {self.order} of the queue in cycle {self.cycle}{again}"


def struck(image: Image, kind: str, queue: str, cycle: int) -> Struck | None:
    """What a fault of this kind in a run cycle struck; None if it is none of a link, or nothing was to come by a link then."""
    if kind not in LINK_FAULTS:
        return None
    config, schedule = image.config, timeline(image)
    iteration, cycle = divmod(cycle, schedule.cycles + restart_gap(config))
    # A frame is judged behind its last word, a word where it stands.
    judged = instruction("RECEIVE").timing(config, {}).d_func - 2
    seen = {op: 0 for op in _USERS}
    found = None
    for burst in schedule.bursts:
        op = burst.word[0].instr.name
        if burst.queue.name != queue or op not in _USERS:
            continue
        for k in range(burst.count):
            issue = burst.start + k * burst.gap
            lasts = 1 if op == "ALIGN" else frame_words(config)
            hit = cycle - issue == judged if kind == Fault.LINK_FRAME.name else 0 <= cycle - issue < lasts
            if hit:
                values = burst.values(k)[0]
                first = burst.queue.unit.hemisphere * config.c2c.links
                port = first + (values["link"] if op == "FORWARD" else burst.queue.number)
                found = Struck(port, op, issue, seen[op], iteration, values.get("number"))
            seen[op] += 1
    return found
