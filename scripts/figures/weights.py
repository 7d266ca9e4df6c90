"""All planes of `full` get their weights from memory, on the golden model."""

from examples.gemm.weights import planes, tried
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.golden.chip import GoldenMachine

SEED = 40


def full_weight_load() -> Found:
    config = load("full")
    program = tried(config, GoldenMachine(config), SEED)
    return Found(program.cycles, {"published, at most": 40, "stagger": program.stagger, "planes": len(planes(config))})


FIGURES = (Figure("mxm.full_weight_load", "cycles", full_weight_load, (Bound("<", 40),)),)
