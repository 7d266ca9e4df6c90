"""Chips joined by links in a simulator, each on its own clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from hdl.export import Verilog, export_chip
from sw.arch.config import Config
from sw.arch.system import Link, Port, System
from sw.machine import MachineError, Run
from tb.chip import looped
from tb.harness import Sources, build
from tb.journal import Journal, RecordedChip, run_and_replay
from tb.link_report import Failure, LinkCounts, counted, failure, linked
from tb.power_up import RESET_CYCLES
from tb.simulation import Simulation
from tb.tb_serve import PERIODS

#: Nominal period of all clocks: 1 ppm of it is a time step.
PERIOD_PS = 1_000_000
#: Words of a wire that can be spoiled, from the sender's reset on.
NOISE_WORDS = 1 << 16


@dataclass(frozen=True)
class Wire:
    """A wire from port to port. Words come `delay` of the sender's cycles later; `noise` spoils the word of a cycle of the
    sender, counted from its reset, by the bits that are wrong in it; in the cycles `lost` no word is sent."""

    source: Port
    target: Port
    delay: int
    noise: Mapping[int, int] = field(default_factory=dict)
    lost: frozenset[int] = frozenset()


class CocotbSystem:
    """All chips of a system on the RTL. Use it as a context manager.

    wires : the system's links as they are, whatever latency its programs go by
    offsets : how far each chip's clock is off, in ppm
    """

    def __init__(self, system: System, wires: Sequence[Wire], offsets: Sequence[int], folder: Path):
        self.system, self._count = system, system.chips
        bits = 8 * system.config.c2c.link_bytes
        for number, wire in enumerate(wires):
            words = {t: word for t, word in wire.noise.items()} | {t: 1 << bits for t in wire.lost}
            text = "".join(f"@{t:x} {word:x}\n" for t, word in sorted(words.items()))
            (folder / f"noise_{number}.hex").write_text(f"@0 {words.get(0, 0):x}\n{text}")
        periods = " ".join(str(PERIOD_PS + offset) for offset in offsets)
        self._simulation = Simulation(_build(system.config, system.chips, wires), folder, {PERIODS: periods})
        self._journal = Journal(system.chips)
        self.chips = tuple(
            RecordedChip(system.config, self._simulation, number, self._journal) for number in range(system.chips)
        )
        #: Why the last run was replayed, once for every time.
        self.failures: tuple[Failure, ...] = ()

    def __enter__(self) -> "CocotbSystem":
        return self

    def __exit__(self, *error) -> None:
        self._simulation.close()

    def run(
        self, iterations: int = 1, delays: Sequence[int] | None = None, limit: int = 1_000_000, replay: int = 0
    ) -> list[Run]:
        """Runs all programs, each begun `delays` ps after the request; how each ended.

        When a link fails, so that a chip has a fault of a link or waits for a mark for more than `limit` cycles, all that was
        done since all chips were loaded is done again, up to `replay` times; `failures` tells why. MachineError if that was
        not enough, or a run has no end.
        """
        if any(chip.image is None for chip in self.chips):
            raise MachineError("No image is loaded.")
        attempt = partial(self._attempt, iterations, list(delays or [0] * self._count), limit)
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
        found = self._simulation.request(0, "run_all", iterations, limit, delays)
        runs = [
            linked(self.system, number, chip.ended(cycles, fault, done))
            for number, (chip, (cycles, done, fault, _)) in enumerate(zip(self.chips, found, strict=True))
        ]
        return runs, failure(self.system, self.chips, runs, [problem for *_, problem in found])


def _build(config: Config, chips: int, wires: Sequence[Wire]) -> Path:
    design = _chip(config)
    top = system_top(config, design.ports[design.top], design.top, chips, wires)
    return build(Sources("system", {f"{design.top}.v": design.text, "system.v": top}, shared=(design.top,)))


@cache
def _chip(config: Config) -> Verilog:
    """The chip; a second export could order its statements otherwise, and be built again."""
    return looped(export_chip(config))


def system_top(config: Config, ports: Mapping[str, tuple[str, int]], module: str, chips: int, wires: Sequence[Wire]) -> str:
    """Verilog of the system: `chips` instances of one module, a clock for each, and the wires between them."""
    bits = 8 * config.c2c.link_bytes
    outside, inside = [], []
    for chip in range(chips):
        pins = [f".clk(chip_{chip}_clk)", f".rst(chip_{chip}_rst)"]
        outside += [f"input chip_{chip}_clk", f"input chip_{chip}_rst"]
        for name, (way, width) in ports.items():
            if name.startswith(("tx_", "rx_")):
                inside.append(f"  wire [{width - 1}:0] {name}_of_{chip};")
                pins.append(f".{name}({name}_of_{chip})")
            else:
                outer = f"chip_{chip}_{name}"
                outside.append(f"{'input' if way == 'i' else 'output'} [{width - 1}:0] {outer}")
                pins.append(f".{name}({outer})")
        inside.append(f"  {module} chip_{chip}({', '.join(pins)});")
        for port in range(2 * config.c2c.links):
            if not any(wire.target == Port(chip, port) for wire in wires):
                inside.append(f"  assign rx_{port}_of_{chip} = 0, rx_clk_{port}_of_{chip} = 0;")
    for number, wire in enumerate(wires):
        inside.append(
            _WIRE.format(
                w=number,
                bits=bits,
                last=NOISE_WORDS - 1,
                delay=wire.delay,
                clk=f"chip_{wire.source.chip}_clk",
                rst=f"chip_{wire.source.chip}_rst",
                tx=f"tx_{wire.source.number}_of_{wire.source.chip}",
                rx=f"rx_{wire.target.number}_of_{wire.target.chip}",
                rx_clk=f"rx_clk_{wire.target.number}_of_{wire.target.chip}",
            )
        )
    return f"module system({', '.join(outside)});\n" + "\n".join(inside) + "\nendmodule\n"


_WIRE = """
  reg [{bits}:0] noise_{w} [0:{last}];
  integer k_{w};
  initial begin
    for (k_{w} = 0; k_{w} <= {last}; k_{w} = k_{w} + 1) noise_{w}[k_{w}] = 0;
    $readmemh("noise_{w}.hex", noise_{w});
  end
  reg [31:0] t_{w};
  reg [{bits}:0] line_{w} [0:{delay}];
  integer j_{w};
  wire [{bits}:0] spoiled_{w} = t_{w} <= {last} ? noise_{w}[t_{w}] : 0;
  always @(posedge {clk}) begin
    t_{w} <= {rst} ? 0 : t_{w} + 1;
    line_{w}[0] <= spoiled_{w} ^ {{1'b0, {tx}}};
    for (j_{w} = 0; j_{w} < {delay}; j_{w} = j_{w} + 1) line_{w}[j_{w} + 1] <= line_{w}[j_{w}];
  end
  reg kept_{w};
  always @(negedge {clk}) kept_{w} <= ~line_{w}[{delay}][{bits}];
  assign {rx} = line_{w}[{delay}][{bits}-1:0], {rx_clk} = {clk} & kept_{w};"""
