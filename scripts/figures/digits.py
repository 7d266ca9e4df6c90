"""The digits on the RTL of `small`: the answers, the cycles, and how fast simulator and golden model are."""

from functools import cache
from pathlib import Path

from digits import REPEATS, Report, measure

from examples.digits.data import digits
from examples.digits.network import Network
from figures.figure import Bound, Figure, Found
from figures.plane import plane_cps
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from tb.chip import build_chip
from tb.machine import CocotbMachine


@cache
def small_chip() -> Path:
    """The simulator of `small`, without assertions and trace."""
    return build_chip(load("small"), sim=False)


@cache
def report() -> Report:
    """What `make digits` measures."""
    config, (_, held_out) = load("small"), digits()
    with CocotbMachine(config, small_chip()) as machine:
        return measure(machine, GoldenMachine(config), Network.load(), held_out, REPEATS)


def accuracy() -> Found:
    found = report()
    return Found(
        found.accuracy,
        {
            "float": found.accuracy_float,
            "points from float": 100 * abs(found.accuracy - found.accuracy_float),
            "images": found.images,
            "images that equal the golden model": found.equal_images,
        },
    )


def accuracy_float() -> Found:
    return Found(report().accuracy_float, {"int8 on the RTL": report().accuracy})


def cycles_predicted() -> Found:
    return Found(list(report().cycles_predicted), {"measured": list(report().cycles_measured)})


def cycles_measured() -> Found:
    return Found(list(report().cycles_measured), {"predicted": list(report().cycles_predicted)})


def small_cps() -> Found:
    return Found(report().cycles_per_second, {"bare plane": plane_cps()})


def golden_cps() -> Found:
    return Found(report().golden_cycles_per_second, {"RTL": report().cycles_per_second})


RESULTS = (
    Figure(
        "digits.accuracy",
        "share of 1",
        accuracy,
        (
            Bound(">=", 0.97),
            Bound("<=", 0.5, of="points from float"),
            Bound("==", "images", of="images that equal the golden model"),
        ),
    ),
    Figure("digits.accuracy_float", "share of 1", accuracy_float),
    Figure("digits.cycles_predicted", "cycles: 1, all images", cycles_predicted, (Bound("==", "measured"),)),
    Figure("digits.cycles_measured", "cycles: 1, all images", cycles_measured, (Bound("==", "predicted"),)),
)
SPEEDS = (
    Figure("sim.small_cps", "cycles/s", small_cps, (Bound(">=", 3000), Bound(">=", "bare plane", share=0.1))),
    Figure("golden.small_cps", "cycles/s", golden_cps, (Bound(">=", "RTL"),)),
)
