"""A pair of chips on the RTL whose link from chip 0 to chip 1 can be spoiled."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sw.arch.links import link_latency
from sw.arch.system import System, cables
from sw.asm.image import Image
from sw.check.system import check_system
from tb.system import CocotbSystem, Wire
from tests.systems import CHIP, ring_ends

DELAY = 3
LATENCY = link_latency(CHIP, DELAY)
LINKS = cables(ring_ends(2)[:1], LATENCY)
SYSTEM = System(CHIP, 2, LINKS)
#: Register HAC of a chip that follows port 0: a count is known to the other side so many cycles after it was the sender's.
FOLLOW = DELAY + 6 | 0 << 8 | 1 << 16


@contextmanager
def loaded(
    images: list[Image], folder: Path, noise: Mapping[int, int], lost: Collection[int] = ()
) -> Iterator[CocotbSystem]:
    """Both chips with their programs."""
    assert check_system(SYSTEM, images) == []
    folder.mkdir(exist_ok=True)
    wires = [Wire(link.source, link.target, DELAY) for link in LINKS]
    wires[0] = Wire(LINKS[0].source, LINKS[0].target, DELAY, noise, frozenset(lost))
    with CocotbSystem(SYSTEM, wires, (0, 0), folder) as rtl:
        load(rtl, images)
        rtl.chips[1].set_register("HAC", FOLLOW)
        yield rtl


def load(rtl: CocotbSystem, images: list[Image]) -> None:
    """Loads both programs."""
    for chip, image in zip(rtl.chips, images, strict=True):
        chip.load(image)
