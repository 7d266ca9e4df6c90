"""All planes of `full` get their weights from memory, on the golden model."""

import numpy as np

from examples.gemm.weights import planes, trial, weight_load
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import MachineError

SEED = 40


def full_weight_load() -> Found:
    config = load("full")
    count, vl = len(planes(config)), config.vl
    rng = np.random.default_rng(SEED)
    weights = rng.integers(-128, 128, (count, vl, vl), np.int8)
    vectors = rng.integers(-128, 128, (count, vl), np.int8)
    program = weight_load(config)
    sums = trial(GoldenMachine(config), program, weights, vectors)
    # float64 holds every sum exactly
    if (sums != np.einsum("pk,pkn->pn", vectors.astype(float), weights.astype(float))).any():
        raise MachineError("A plane has other weights than memory held.")
    return Found(program.cycles, {"published, at most": 40, "stagger": program.stagger, "planes": count})


FIGURES = (Figure("mxm.full_weight_load", "cycles", full_weight_load, (Bound("<", 40),)),)
