"""Chips joined by links in a simulator, each on its own clock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hdl.export import export_chip
from sw.arch.config import Config
from sw.arch.links import APART, HAC_PERIOD, TOLD, link_latency
from sw.arch.system import Link, Port, System
from sw.asm.image import Image
from sw.bringup.table import Follow
from sw.machine import MachineError, Run
from sw.network.start import Start
from sw.trace import Trace
from tb.chip import gated, kept, looped
from tb.harness import Sources, build
from tb.held import with_held_inputs
from tb.journal import Journal, RecordedChip, run_and_replay
from tb.link_report import Failure, LinkCounts, counted, failure, linked
from tb.power_up import RESET_CYCLES
from tb.simulation import Simulation
from tb.system_top import system_top
from tb.tb_serve import PERIODS

#: Nominal period of all clocks: 1 ppm of it is a time step.
PERIOD_PS = 1_000_000
#: Words of a wire that can be spoiled, from the sender's reset on, and the longest delay of a wire.
NOISE_WORDS, LONGEST = 1 << 16, (1 << 12) - 1
#: Cycles after which chips that a host starts together have come to where they wait.
_STARTED = 500
#: A line of the trace, with the name of the instance that printed it.
_TRACED = re.compile(r"\S*\bchip_(\d+)\b\S* (~[DW] .*)")


@dataclass(frozen=True)
class Wire:
    """A wire from port to port. Words come `delay` of the sender's cycles later; `noise` spoils the word of a cycle of the
    sender, counted from its reset, by the bits that are wrong in it; in the cycles `lost` no word is sent."""

    source: Port
    target: Port
    delay: int
    noise: Mapping[int, int] = field(default_factory=dict)
    lost: frozenset[int] = frozenset()


def wires_of(system: System, lengths: Sequence[int]) -> list[Wire]:
    """A wire for each link, as long as its cable is, which takes its length in turn; both ways of a cable are equally long."""
    found: dict[frozenset[Port], int] = {}
    for link in system.links:
        found.setdefault(frozenset((link.source, link.target)), lengths[len(found) % len(lengths)])
    return [Wire(link.source, link.target, found[frozenset((link.source, link.target))]) for link in system.links]


class CocotbSystem:
    """All chips of a system on the RTL. Use it as a context manager. MachineError for what it refuses.

    wires : the system's links as they are, whatever latency its programs go by; what has none hears nothing
    offsets : how far each chip's clock is off, in ppm
    room : chips that the simulator has at least, so that one build does for many systems; those not used stand still
    sim : with assertions and the trace
    """

    def __init__(
        self, system: System, wires: Sequence[Wire], offsets: Sequence[int], folder: Path, room: int = 8, sim: bool = True
    ):
        self.system, self._count, self._log_at = system, system.chips, 0
        periods = " ".join(str(PERIOD_PS + offset) for offset in offsets)
        chips = max(system.chips, room)
        _write(system.config, chips, wires, folder)
        built = kept(f"system-{chips}-{sim}-{system.config!r}", lambda: _build(system.config, chips, sim))
        self._simulation = Simulation(built, folder, {PERIODS: periods})
        self._journal = Journal(system.chips)
        self.chips = tuple(
            RecordedChip(system.config, self._simulation, number, self._journal) for number in range(system.chips)
        )
        #: Why the last run was replayed, once for every time.
        self.failures: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, system: System, folder: Path, offsets: Sequence[int] = ()) -> "CocotbSystem":
        """A system whose wires are as long as its links' latencies say, brought up, without assertions and traces.

        offsets : of the first chips; those behind have none
        """
        delays = {link: _delay(link, system.config) for link in system.links}
        wires = [Wire(link.source, link.target, delay) for link, delay in delays.items()]
        made = cls(system, wires, [*offsets, *[0] * system.chips][: system.chips], folder, room=0, sim=False)
        for link in Start(system).tree:
            follow = Follow(link.source.chip, link.target.number, (delays[link] + TOLD) % HAC_PERIOD)
            made.chips[link.target.chip].set_register("HAC", follow.register)
        return made

    def __enter__(self) -> "CocotbSystem":
        return self

    def __exit__(self, *error) -> None:
        self._simulation.close()

    def load(self, images: Sequence[Image]) -> None:
        """Loads every chip with its image, all at the same time."""
        self._simulation.request(
            0, "side_by_side", [list(chip.loads(image)) for chip, image in zip(self.chips, images, strict=True)]
        )
        for chip, image in zip(self.chips, images, strict=True):
            chip.loaded(image)

    def run(
        self, iterations: int = 1, delays: Sequence[int] | None = None, limit: int = 1_000_000, replay: int = 0
    ) -> list[Run]:
        """Runs all programs, each begun `delays` ps after the request, by default chip 0 when all others wait for its mark; how
        each ended.

        When a link fails, so that a chip has a fault of a link or waits for a mark for more than `limit` cycles, all that was
        done since all chips were loaded is done again, up to `replay` times; `failures` tells why. MachineError if that was
        not enough, or a run has no end.
        """
        if any(chip.image is None for chip in self.chips):
            raise MachineError("No image is loaded.")
        attempt = partial(self._attempt, iterations, list(delays or [_STARTED * PERIOD_PS, *[0] * (self._count - 1)]), limit)
        runs, self.failures = run_and_replay(attempt, self._journal, replay)
        return runs

    def counts(self) -> dict[Link, LinkCounts]:
        """What was wrong on every link in the last run and could be told without a fault."""
        return {link: counted(self.chips[link.target.chip], link.target.number) for link in self.system.links}

    @property
    def cycle(self) -> int:
        """Cycles of a clock that is not off, since the first chip's reset: the time that `Wire.noise` is given in."""
        return self._simulation.request(0, "age") // PERIOD_PS - RESET_CYCLES

    def _attempt(self, iterations: int, delays: list[int], limit: int) -> tuple[list[Run], Failure | None]:
        self._log_at = self._simulation.log.stat().st_size
        found = self._simulation.request(0, "run_all", iterations, limit, delays)
        runs = [
            linked(self.system, number, chip.ended(cycles, fault, done))
            for number, (chip, (cycles, done, fault, _)) in enumerate(zip(self.chips, found, strict=True))
        ]
        return runs, failure(self.system, self.chips, runs, [problem for *_, problem in found])

    def traces(self) -> list[Trace]:
        """What each chip drove and wrote in the last run, all iterations."""
        lines: list[list[str]] = [[] for _ in self.chips]
        with self._simulation.log.open() as log:
            log.seek(self._log_at)
            for found in map(_TRACED.match, log):
                if found:
                    lines[int(found[1])].append(found[2])
        return [Trace.parse(self.system.config, own) for own in lines]


def _delay(link: Link, config: Config) -> int:
    """The delay of a wire that has a link's latency. What was measured has in it already what HACs disagree, so it may be less
    than a wire of no length has by that rule; HACs that agree make do with it."""
    least = link_latency(config, 0) - APART
    if link.latency < least:
        raise MachineError(f"The link from {link.source} has a latency of {link.latency}, a wire has {least} or more.")
    return max(0, link.latency - least - APART)


def _build(config: Config, chips: int, sim: bool) -> Path:
    """A simulator of as many chips, joined in whatever way its files say when it starts.

    With the trace, whose lines name the chip, all chips are one design, which takes the memory of all; without, a chip is
    compiled by itself, once.
    """
    design = looped(export_chip(config, sim))
    ports = design.ports[design.top]
    one = with_held_inputs(gated(design), ports)
    verilog = {**one.verilog, "system.v": system_top(config, ports, one.top, chips, NOISE_WORDS, LONGEST)}
    if sim:
        changed, kind = (r'\$write\("~', '$write("%m ~'), {"shared": (*one.shared, one.top)}
    else:
        # Verilator gives another name to a port called `interrupt`, a word of some compilers, and then does not find it.
        changed, kind = (r"(?<![\w])interrupt(?!\w)", "interrupts"), {"shared": one.shared, "blocks": (one.top,)}
    verilog = {name: re.sub(*changed, text) for name, text in verilog.items()}
    return build(Sources("system", verilog, defines=one.defines, **kind))


def _write(config: Config, chips: int, wires: Sequence[Wire], folder: Path) -> None:
    """The files by which the simulator knows its wires: for each port what it hears, and how long and what spoils it."""
    ports, bits = 2 * config.c2c.links, 8 * config.c2c.link_bytes
    sources, delays = [0] * (chips * ports), [0] * (chips * ports)
    noise: list[dict[int, int]] = [{} for _ in sources]
    for wire in wires:
        if wire.delay > LONGEST:
            raise MachineError(f"The wire from {wire.source} has a delay of {wire.delay}, the most is {LONGEST}.")
        begin, end = (port.chip * ports + port.number for port in (wire.source, wire.target))
        sources[end], delays[begin] = begin + 1, wire.delay
        noise[begin] = dict(wire.noise) | {t: 1 << bits for t in wire.lost}
    for name, values in (("sources", sources), ("delays", delays)):
        (folder / f"{name}.hex").write_text("".join(f"{value:x}\n" for value in values))
    for number, words in enumerate(noise):
        text = "".join(f"@{t:x} {word:x}\n" for t, word in sorted(words.items()))
        (folder / f"noise_{number}.hex").write_text(f"@0 {words.get(0, 0):x}\n{text}")
