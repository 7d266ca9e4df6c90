"""The tiled product and the weight load on the golden model, against numpy and the bounds on cycles."""

import numpy as np
import pytest

from examples.gemm.duel import DUEL
from examples.gemm.product import Product
from examples.gemm.uses import uses
from examples.gemm.weights import tried, weight_load
from sw.arch.config import load
from sw.check.program import check
from sw.golden.chip import GoldenMachine

SMALL = load("small")
SEED = 512


def multiply(config, m, k, n, **options):
    """Runs a random product; gives the program after it gave the right result in the cycles it says."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    a, b = (rng.integers(-128, 128, shape, np.int8) for shape in ((m, k), (k, n)))
    product = Product(config, m, k, n, **options)
    # float64 holds every sum exactly
    assert (product.multiply(GoldenMachine(config), a, b) == a.astype(float) @ b.astype(float)).all()
    return product


@pytest.mark.parametrize(
    "m, k, n",
    [(1, 1, 1), (2, 64, 64), (7, 70, 130), (3, 300, 64), (130, 128, 64), (600, 65, 65), (1, 200, 200)],
)
def test_shapes_that_fit_no_tile(m, k, n):
    multiply(SMALL, m, k, n)


@pytest.mark.parametrize(
    "config, m, k, n",
    [
        (SMALL, 7, 70, 130),
        (SMALL, 1, 300, 10),
        (SMALL, 300, 130, 65),
        (DUEL, 1, 256, 256),
        (DUEL, 1, 128, 32),
    ],
)
def test_the_checker_finds_nothing(config, m, k, n):
    assert check(Product(config, m, k, n).image) == []


def test_the_checker_finds_nothing_in_the_weight_load():
    assert check(weight_load(load("full")).image) == []


def test_the_ends_of_the_range():
    a, b = np.full((4, 128), -128, np.int8), np.full((128, 64), -128, np.int8)
    assert (Product(SMALL, 4, 128, 64).multiply(GoldenMachine(SMALL), a, b) == 128 << 14).all()


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


@pytest.mark.parametrize(
    "rows, acc_rows, n_tiles", [(1, 64, 7), (1, 64, 1), (3, 64, 7), (64, 64, 7), (200, 64, 2)]
)
def test_a_row_of_accumulators_waits_and_a_load_fits(rows, acc_rows, n_tiles):
    """Every sum is made of all its tiles, weights have time to come, and no two uses overlap."""
    found = uses(rows, 5, n_tiles, acc_rows, 4, 9)
    assert len({(use.k, use.n, use.row) for use in found}) == len(found)
    assert sum(use.rows for use in found) == rows * 5 * n_tiles
    before = {}
    for use in found:
        assert use.start - before.get(use.acc, -9) >= 9
        before |= {use.acc + i: use.start for i in range(use.rows)}
    assert all(use.acc + use.rows <= acc_rows for use in found)
    assert all(b.start - a.start >= max(a.rows, 4) for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("preset, most", [("small", 40), ("full", 40)])
def test_all_planes_load_in_less_than_40_cycles(preset, most):
    config = load(preset)
    assert tried(config, GoldenMachine(config), SEED).cycles < most


@pytest.mark.slow
def test_the_published_chip_is_busy_in_a_large_product():
    assert multiply(load("full"), 2560, 2560, 2560).utilisation >= 0.92
