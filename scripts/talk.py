"""The shipped language model writes text on a simulated chip, every token's logits held against the golden model's.

One program is loaded once and run once a token. The exit status is 1 if a logit differs in any bit; a run that takes
other than the predicted cycles ends it with a sentence.
"""

import argparse
import codecs
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from sw.arch.config import ConfigError, load
from sw.arch.system import System
from sw.bringup.bringup import BringUp, BringUpError
from sw.compiler.compiled import CompileError
from sw.compiler.llama.generate import generate
from sw.compiler.llama.sample import Sampler
from sw.compiler.llama.tokenizer import Tokenizer
from sw.golden.chip import GoldenSystem
from sw.machine import Alone, MachineError, MachineSystem
from takt.model import Model, Session, compile, joined
from takt.rtl import CABLES, wired
from takt.sources import shipped
from tb.chip import build_chip
from tb.harness import BuildError
from tb.machine import CocotbMachine
from tb.system import CocotbSystem, wires_of
from tb.toolchain import ToolError
from tb.views import keep_waves

#: Clock of the published chip; an assumption, nothing here has been timed in silicon.
CLOCK_MHZ = 900
TOKENS = 48
#: Tokens that waves are kept of, a token takes tens of megabytes; and those of several chips, a token takes seconds.
TRACED_TOKENS, SHARED_TOKENS = 2, 8


@dataclass(frozen=True)
class Report:
    """What was measured: `cycles_measured` has the least and the most of a token; seconds a token are of wall time,
    the first, which prepares, left out."""

    machine: str
    text: str
    tokens: int
    equal_tokens: int
    cycles_predicted: int
    cycles_measured: tuple[int, ...]
    seconds: float
    golden_seconds: float

    @property
    def good(self) -> bool:
        """Everything came as predicted."""
        return self.equal_tokens == self.tokens and set(self.cycles_measured) == {self.cycles_predicted}


class _Timed:
    """A session's step that keeps cycles and seconds of every run."""

    def __init__(self, model: Model, machine: MachineSystem):
        self._session, self.cycles, self._seconds = Session(model, machine), [], []

    def __call__(self, inputs):
        begin = time.monotonic()
        outputs = self._session.step(inputs)
        self._seconds.append(time.monotonic() - begin)
        self.cycles.append(self._session.cycles)
        return outputs

    @property
    def seconds(self) -> float:
        """Mean over all runs but the first."""
        return sum(self._seconds[1:]) / max(1, len(self._seconds) - 1)


def talk(model: Model, machine: MachineSystem, tokens: int, show) -> Report:
    """Greedy text of `tokens` tokens on `machine`, and the same steps on the golden model; pieces go to `show`."""
    measured, golden = _Timed(model, machine), _Timed(model, GoldenSystem(model.system))
    words = Tokenizer.parse(model.container.about.tokenizer, "The tokenizer")
    decoder, shown, equal = codecs.getincrementaldecoder("utf-8")("replace"), [], []

    def both(inputs):
        found, expected = measured(inputs), golden(inputs)
        equal.append(found["logits"].tobytes() == expected["logits"].tobytes())
        return found

    for said in generate(both, words.encode(""), Sampler(), tokens, model.container.about.context):
        shown.append(decoder.decode(words.piece(said.previous, said.token)))
        show(shown[-1])
    return Report(
        machine=type(machine).__name__,
        text="".join(shown),
        tokens=len(equal),
        equal_tokens=sum(equal),
        cycles_predicted=model.cycles,
        cycles_measured=tuple(sorted({min(measured.cycles), max(measured.cycles)})),
        seconds=measured.seconds,
        golden_seconds=golden.seconds,
    )


def table(report: Report, where: str) -> Table:
    """The report for people."""
    made = Table(title=f"{report.tokens} tokens on {where}", show_header=False)
    verdict = "equal" if set(report.cycles_measured) == {report.cycles_predicted} else "[red]NOT EQUAL[/red]"
    measured = " to ".join(f"{number:,}" for number in report.cycles_measured)
    for name, value in (
        ("tokens with the golden model's logits, bit by bit", f"{report.equal_tokens} of {report.tokens}"),
        ("cycles a token, predicted and measured", f"{report.cycles_predicted:,} and {measured}: {verdict}"),
        (f"tokens a second at {CLOCK_MHZ} MHz (assumed clock)", f"{CLOCK_MHZ * 1e6 / report.cycles_predicted:,.0f}"),
        ("simulated tokens a second", f"{1 / report.seconds:.2f}"),
        ("golden model, tokens a second", f"{1 / report.golden_seconds:.2f}"),
    ):
        made.add_row(name, value)
    return made


@contextmanager
def simulator(system: System, folder: Path, waves: bool) -> Iterator[MachineSystem]:
    """The RTL of a system; several chips are not alike and know nothing of each other."""
    if system.chips == 1:
        with CocotbMachine(system.config, build_chip(system.config, sim=False, waves=waves), folder) as machine:
            yield Alone(machine)
    else:
        with wired(system, wires_of(system, CABLES)) as machine:
            yield machine


def brought_up(machine: CocotbSystem, system: System, console: Console) -> System:
    """The system as its links are measured. MachineError for one that fails."""
    console.print("Bringing up the links ...")
    found = BringUp(machine, system)
    if found.failures:
        raise MachineError(" ".join(map(str, found.failures)))
    latencies = [link.latency for link in found.table.system.links]
    console.print(f"{len(latencies)} links work, their latencies are {min(latencies)} to {max(latencies)} cycles.")
    return found.table.system


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", choices=("rtl", "golden"), default="rtl", help="machine (default: %(default)s)")
    numbers = f"{TOKENS}, with waves {TRACED_TOKENS}, of several chips {SHARED_TOKENS}"
    parser.add_argument("--tokens", type=int, help=f"tokens to write (default: {numbers})")
    parser.add_argument("--chips", type=int, default=1, help="chips that share the model, each on its own clock (default: 1)")
    parser.add_argument("--waves", action="store_true", help="of one chip: write an FST and views of it to build/waves")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.tokens is not None and options.tokens < 2:
        parser.error("--tokens must be 2 or more, the first is not timed.")
    if options.waves and options.chips > 1:
        parser.error(f"--waves is of one chip, --chips is {options.chips}.")
    tokens = options.tokens or (TRACED_TOKENS if options.waves else TOKENS if options.chips == 1 else SHARED_TOKENS)
    console = Console(stderr=options.json)

    def show(piece: str) -> None:
        console.print(piece, end="", markup=False, highlight=False, soft_wrap=True)

    try:
        chip = "small" if options.chips == 1 else "linked"
        name = f"'{chip}'" if options.chips == 1 else f"{options.chips} chips '{chip}'"
        system = joined(load(chip), options.chips)
        where = "the golden model" if options.on == "golden" else f"the RTL of {name} in Verilator"
        with TemporaryDirectory() as scratch:
            # Waves are complete when the machine is closed.
            with ExitStack() as stack:
                machine = GoldenSystem(system)
                if options.on == "rtl":
                    console.print(f"Preparing the simulator of {name}; the first time takes minutes ...")
                    machine = stack.enter_context(simulator(system, Path(scratch), options.waves))
                    if options.chips > 1:
                        system = brought_up(machine, system, console)
                console.print(f"Compiling {shipped().name} for {name} ...")
                model = compile(shipped(), system)
                console.print(f"The language model writes {tokens} tokens on {where}:")
                report = talk(model, machine, tokens, show)
            console.print()
            if options.waves:
                waves = keep_waves(model.container.compiled.parts[0].image, Path(scratch) / "dump.fst", "llama")
                console.print(waves, soft_wrap=True)
    except (CompileError, ConfigError, MachineError, BringUpError, BuildError, ToolError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        console.print()
        console.print(table(report, where))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
