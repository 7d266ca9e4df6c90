"""The tiled product and the weight load on the golden model, against numpy and the bounds on cycles."""

import numpy as np
import pytest

from examples.gemm.duel import DUEL
from examples.gemm.product import Product
from examples.gemm.uses import uses
from examples.gemm.weights import planes, trial, weight_load
from sw.arch.config import load
from sw.golden.chip import GoldenMachine

SMALL = load("small")
SEED = 512


def multiply(config, m, k, n, **options):
    """Runs a random product; gives the program after it gave the right result in the cycles it says."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    a, b = (rng.integers(-128, 128, shape, np.int8) for shape in ((m, k), (k, n)))
    product, machine = Product(config, m, k, n, **options), GoldenMachine(config)
    machine.load(product.image)
    product.write(machine, a, b)
    assert machine.run().cycles == product.cycles
    # float64 holds every sum exactly
    assert (product.read(machine) == a.astype(float) @ b.astype(float)).all()
    return product


@pytest.mark.parametrize(
    "m, k, n",
    [(1, 1, 1), (2, 64, 64), (7, 70, 130), (3, 300, 64), (130, 128, 64), (600, 65, 65), (1, 200, 200)],
)
def test_shapes_that_fit_no_tile(m, k, n):
    multiply(SMALL, m, k, n)


def test_the_ends_of_the_range():
    a, b = np.full((4, 128), -128, np.int8), np.full((128, 64), -128, np.int8)
    product, machine = Product(SMALL, 4, 128, 64), GoldenMachine(SMALL)
    machine.load(product.image)
    product.write(machine, a, b)
    machine.run()
    assert (product.read(machine) == 128 << 14).all()


@pytest.mark.parametrize(
    "m, k, n, most", [(64, 64, 64, 331), (128, 128, 128, 2123), (256, 256, 256, 16459), (1, 256, 256, 260)]
)
def test_a_plane_of_1024_beats_the_best_open_core(m, k, n, most):
    assert multiply(DUEL, m, k, n).span <= most


def test_both_planes_are_busy_in_a_large_product():
    assert multiply(SMALL, 512, 512, 512).utilisation >= 0.92


def test_one_plane_takes_a_vector_every_cycle():
    product = multiply(SMALL, 4096, 64, 64, planes=("MXM_E0",))
    assert 4096 / (product.span - product.first_pass) >= 0.98


@pytest.mark.parametrize("rows, acc_rows", [(1, 64), (3, 64), (64, 64), (200, 64)])
def test_a_row_of_accumulators_waits_and_a_load_fits(rows, acc_rows):
    """Every sum is made of all its tiles, weights have time to come, and no two uses overlap."""
    found = uses(rows, 5, 7, acc_rows, 4)
    assert len({(use.k, use.n, use.row) for use in found}) == len(found)
    assert sum(use.rows for use in found) == rows * 5 * 7
    assert all(use.acc + use.rows <= acc_rows for use in found)
    assert all(b.start - a.start >= max(a.rows, 4) for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("preset, most", [("small", 40), ("full", 40)])
def test_all_planes_load_in_less_than_40_cycles(preset, most):
    config = load(preset)
    count, vl = len(planes(config)), config.vl
    rng = np.random.default_rng(SEED)
    weights = rng.integers(-128, 128, (count, vl, vl), np.int8)
    vectors = rng.integers(-128, 128, (count, vl), np.int8)
    program = weight_load(config)
    sums = trial(GoldenMachine(config), program, weights, vectors)
    assert (sums == np.einsum("pk,pkn->pn", vectors.astype(float), weights.astype(float))).all()
    assert program.cycles < most


@pytest.mark.slow
def test_the_published_chip_is_busy_in_a_large_product():
    assert multiply(load("full"), 2560, 2560, 2560).utilisation >= 0.92
