"""Classifies the 360 held-out handwritten digits on a simulated chip, checked against the golden model.

Two programs run: one for a single image, whose cycles are its latency, and one for all of them at an image a
cycle. The exit status is 1 if a cycle count or a lane of a result differs from what was predicted.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from examples.digits.data import Digits, digits
from examples.digits.job import Job, Outcome, perform, speed
from examples.digits.network import Network
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import Machine, MachineError
from tb.chip import build_chip
from tb.harness import BuildError
from tb.machine import CocotbMachine
from tb.toolchain import ToolError
from tb.views import keep_waves

#: Clock of the published chip; an assumption, nothing here has been timed in silicon.
CLOCK_MHZ = 900
#: Runs of all images that a speed is taken over.
REPEATS = 15


@dataclass(frozen=True)
class Report:
    """What was measured; pairs are (one image, all images)."""

    machine: str
    images: int
    accuracy: float
    accuracy_float: float
    cycles_predicted: tuple[int, int]
    cycles_measured: tuple[int, int]
    equal_images: int
    images_per_second: float
    utilisation: float
    cycles_per_second: float
    golden_cycles_per_second: float

    @property
    def good(self) -> bool:
        """Everything came as predicted."""
        return self.equal_images == self.images and self.cycles_predicted == self.cycles_measured


def measure(machine: Machine, golden: Machine, network: Network, held_out: Digits, repeats: int) -> Report:
    """Both programs on `machine` and on the golden model; speeds over `repeats` runs of all images."""
    total = len(held_out.labels)
    jobs = [Job.of(machine.config, network, images) for images in (1, total)]
    expected: list[Outcome] = []
    got: list[Outcome] = []
    for job in jobs:
        expected.append(perform(golden, job, held_out.images[: job.images]))
        got.append(perform(machine, job, held_out.images[: job.images]))
    job, outcome = jobs[-1], got[-1]
    same = outcome.equal(expected[-1])
    same[0] &= got[0].equal(expected[0])[0]
    return Report(
        machine=type(machine).__name__,
        images=total,
        accuracy=float((outcome.classes[:, 0] == held_out.labels).mean()),
        accuracy_float=float((network.classify_float(held_out.images) == held_out.labels).mean()),
        cycles_predicted=tuple(job.cycles for job in jobs),
        cycles_measured=tuple(outcome.cycles for outcome in got),
        equal_images=int(same.sum()),
        images_per_second=total / job.cycles * CLOCK_MHZ * 1e6,
        utilisation=job.utilisation,
        cycles_per_second=speed(machine, job, repeats),
        golden_cycles_per_second=speed(golden, job, repeats),
    )


def table(report: Report, where: str) -> Table:
    """The report for people."""
    made = Table(title=f"{report.images} handwritten digits on {where}", show_header=False)
    one, every = zip(report.cycles_predicted, report.cycles_measured, strict=True)

    def verdict(predicted: int, measured: int) -> str:
        return "equal" if predicted == measured else "[red]NOT EQUAL[/red]"

    for name, value in (
        ("accuracy, int8 network", f"{report.accuracy:.2%}"),
        ("accuracy, the same network in float", f"{report.accuracy_float:.2%}"),
        ("cycles for one image, predicted and measured", f"{one[0]:,} and {one[1]:,}: {verdict(*one)}"),
        (
            f"cycles for {report.images} images, predicted and measured",
            f"{every[0]:,} and {every[1]:,}: {verdict(*every)}",
        ),
        (f"images per second at {CLOCK_MHZ} MHz (assumed clock)", f"{report.images_per_second:,.0f}"),
        ("multiply-accumulate utilisation, both planes, whole program", f"{report.utilisation:.1%}"),
        ("simulated cycles per second", f"{report.cycles_per_second:,.0f}"),
        ("golden model, cycles per second", f"{report.golden_cycles_per_second:,.0f}"),
        ("images that equal the golden model in every lane", f"{report.equal_images} of {report.images}"),
    ):
        made.add_row(name, value)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--on", choices=("rtl", "golden"), default="rtl", help="machine (default: %(default)s)"
    )
    parser.add_argument("--waves", action="store_true", help="write an FST and views of it to build/waves")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    config, network, (_, held_out) = load("small"), Network.load(), digits()
    golden = GoldenMachine(config)
    try:
        if options.on == "golden":
            where = "the golden model"
            report = measure(golden, golden, network, held_out, REPEATS)
        else:
            where = "the RTL of 'small' in Verilator"
            console.print("Preparing the simulator of 'small'; the first time takes minutes ...")
            build_dir = build_chip(config, sim=False, waves=options.waves)
            console.print(f"Classifying {len(held_out.labels)} images on {where} ...")
            # waves are complete when the machine is closed
            with TemporaryDirectory() as scratch:
                with CocotbMachine(config, build_dir, Path(scratch)) as machine:
                    report = measure(machine, golden, network, held_out, 1 if options.waves else REPEATS)
                if options.waves:
                    image = Job.of(config, network, len(held_out.labels)).image
                    console.print(keep_waves(image, Path(scratch) / "dump.fst", "digits"), soft_wrap=True)
    except (MachineError, BuildError, ToolError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        console.print(table(report, where))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
