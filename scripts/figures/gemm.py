"""Dense int8 products, every result compared with numpy: on the RTL of `small` and of a chip with one 32x32
plane, and on the golden model of `full`."""

from functools import partial

import numpy as np

from examples.gemm.duel import DUEL
from examples.gemm.product import Product
from figures.digits import small_chip
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import Machine, MachineError
from tb.chip import build_chip
from tb.machine import CocotbMachine

SEED = 2560
#: What cores of as many units need for these products, published or measured by their authors' own tools:
#: the best open core, with ideal feeds and its memory not counted, and a 64-unit NVDLA. Then our goal.
DUELS = {
    "duel.64": ((64, 64, 64), 331, 8092, 331),
    "duel.128": ((128, 128, 128), 2123, 41234, 2123),
    "duel.256": ((256, 256, 256), 16459, 295186, 16459),
    "duel.gemv256": ((1, 256, 256), 4171, 16841, 260),
}


def multiply(machine: Machine, product: Product) -> None:
    """Runs a product of random numbers; MachineError if cycles or results are not as they should be."""
    rng = np.random.default_rng(SEED)
    a = rng.integers(-128, 128, (product.m, product.k), np.int8)
    b = rng.integers(-128, 128, (product.k, product.n), np.int8)
    # float64 holds every sum exactly
    wrong = int((product.multiply(machine, a, b) != a.astype(float) @ b.astype(float)).sum())
    if wrong:
        raise MachineError(f"{wrong} of {product.m * product.n} results differ from numpy's.")


def stream_utilisation() -> Found:
    vectors = 4096
    config = load("small")
    product = Product(config, vectors, config.vl, config.vl, planes=("MXM_E0",))
    with CocotbMachine(config, small_chip()) as machine:
        multiply(machine, product)
    cycles = product.span - product.first_pass
    return Found(vectors / cycles, {"vectors": vectors, "cycles, first activation to last write": cycles})


def large(preset: str, size: int) -> Found:
    config = load(preset)
    product = Product(config, size, size, size)
    if preset == "full":
        multiply(GoldenMachine(config), product)
    else:
        with CocotbMachine(config, small_chip()) as machine:
            multiply(machine, product)
    return Found(product.utilisation, {"cycles": product.span, "planes": len(product.planes)})


def duel(key: str) -> Found:
    shape, open_core, nvdla, _ = DUELS[key]
    product = Product(DUEL, *shape)
    with CocotbMachine(DUEL, build_chip(DUEL, sim=False)) as machine:
        multiply(machine, product)
    return Found(product.span, {"best open core, ideal feeds": open_core, "64-unit NVDLA": nvdla})


FIGURES = (
    Figure("mxm.stream_utilisation", "share of peak", stream_utilisation, (Bound(">=", 0.98),)),
    Figure("gemm.512.small", "share of peak", partial(large, "small", 512), (Bound(">=", 0.92),)),
    Figure("gemm.2560.full", "share of peak", partial(large, "full", 2560), (Bound(">=", 0.92),)),
    *(
        Figure(key, "cycles", partial(duel, key), (Bound("<=", most),))
        for key, (_, _, _, most) in DUELS.items()
    ),
)
