"""How products look for their places: what a failed attempt says about the next one."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.arch.dtype import DType
from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.compiled import compile_graph
from sw.compiler.graph import Graph
from sw.compiler.loads import Loads
from sw.compiler.memory import Memory
from sw.compiler.route import Router
from sw.compiler.sums import Sums
from sw.compiler.tasks import Product
from sw.compiler.vectors import Tile, Vector
from sw.compiler.ways import READ_ACCESS, READ_ISSUE

#: Claims for an instruction, those that are taken back included. One that stays takes two or three.
CLAIMS = 6


class _Counting(Board):
    """A board that fails when much more is claimed than comes of it."""

    def __init__(self, *args):
        super().__init__(*args)
        self._claims = 0

    def claim(self, unit: int, cycle: int, value: int = 0) -> bool:
        self._claims += 1
        assert self._claims < CLAIMS * len(self.issued) + 100_000, "Products are tried again and again."
        return super().claim(unit, cycle, value)


def _layers(rows: int) -> Graph:
    """Two layers of 7 x 7 tiles on `full`, whose sums take all accumulator rows of a plane."""
    graph, rng = Graph("layers"), np.random.default_rng(7)
    x = graph.input("x", (rows, 2048), "int8")
    for _ in range(2):
        sums = graph.dot(x, graph.constant(rng.integers(-128, 128, (2048, 2048), np.int8)))
        x = (sums.to("fp32") * 0.001).to("int8")
    graph.output("y", x)
    return graph


def test_attempts_grow_with_the_work_alone(monkeypatch):
    monkeypatch.setattr("sw.compiler.schedule.Board", _Counting)
    compile_graph(_layers(128), load("full"))


@pytest.fixture
def router() -> Router:
    chip = Chip(load("small"))
    return Router(chip, Board(chip.config.streams), Memory(chip.config, len(chip.slices)))


def _product(chip: Chip) -> Product:
    """Two rows, two tiles of k, one of n."""
    zero = Vector(DType.INT8, np.zeros(chip.config.vl, np.int8))
    tile = Tile([zero] * chip.config.vl)
    acts = [[Vector(DType.INT8) for _ in range(2)] for _ in range(2)]
    outs = [[Vector(DType.INT32) for _ in range(2)]]
    return Product("dot", DType.INT8, [[tile], [tile]], acts, outs, next(iter(chip.planes)))


def test_a_sum_waits_just_until_its_rows_are_free(router):
    sums, task = Sums(router.chip, router), _product(router.chip)
    assert sums.free_from(task, 0, [10, 11], [40, 41]) is None
    sums.keep(task, 0, [10, 11], [40, 41])
    assert sums.free_from(task, 2, [10, 11], [40, 41]) is None
    free = sums.free_from(task, 0, [0, 1], [20, 21])
    assert sums.free_from(task, 0, [free, free + 1], [free + 30, free + 31]) is None
    assert sums.free_from(task, 0, [free - 1, free], [free + 29, free + 30]) == free


def test_passes_wait_just_until_their_tile_can_come_in(router):
    chip, loads, task = router.chip, Loads(router.chip, router, router.memory), _product(router.chip)
    unit, words = chip.planes[task.plane], loads.words(task.plane, task.dtype, task.tiles[0][0])
    soonest = loads.earliest(unit, words)
    assert loads.fill(unit, words, -1).first(0, 0, 1000) == soonest
    (s, *_) = words[0][0]
    for cycle in range(200):
        router.board.claim(READ_ISSUE + s, cycle)
        router.board.claim(READ_ACCESS + s, cycle)
    first = loads.fill(unit, words, -1).first(0, 0, 1000)
    assert first > 200
    assert loads.fill(unit, words, -1).first(0, 0, 150) == 150
    assert loads.stand(unit, task.dtype, words, first - 1, -1, 0) is None
    assert loads.stand(unit, task.dtype, words, first, -1, 0) is not None
