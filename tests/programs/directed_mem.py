"""Memory instructions at the edges of their addresses, regions and offsets."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from tests.programs.stage import Stage


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    names = [unit.name for unit in floorplan(c).slices]
    masks = dict.fromkeys(((1 << c.superlanes) - 1, 1, 1 << (c.superlanes - 1)))
    for name, mask in product(dict.fromkeys((names[0], names[c.mem.slices - 1], names[-1])), [0, *masks]):
        yield partial(_read, name=name, mask=mask)
    for west, mask in product((0, 1), masks):
        yield partial(_write, name=names[c.mem.slices * (1 - west)], mask=mask, west=west)
    bank, last = c.bank_words, c.mem.words - 1
    regions = ((0, 1), (bank - 1, 1), (bank, 1), (last, 1), (0, bank), (bank, bank), (bank - 2, 2))
    for west, region, mask in product((0, 1), regions, masks):
        name = names[c.mem.slices * (1 - west)]
        yield partial(_gather, name=name, region=region, mask=mask, west=west)
        yield partial(_scatter, name=name, region=region, mask=mask, west=west)


def edge_words(c: Config) -> tuple[int, ...]:
    """First and last word of both banks."""
    return 0, c.bank_words - 1, c.bank_words, c.mem.words - 1


def _read(stage: Stage, name: str, mask: int) -> None:
    """READ of the edges on the first and last stream of both directions, in one burst and one by one."""
    c, words = stage.config, edge_words(stage.config)
    stage.own(name)
    codes = (0, c.streams - 1, c.streams, 2 * c.streams - 1)
    for k, (addr, code) in enumerate(zip(words, codes, strict=True)):
        stage.put(name, stage.now + k, "READ", addr=addr, stream=code)
    stage.put(name, stage.now + 4, "READ", 1, 3, addr=words[0], stride=words[1] if words[1] < 512 else 0, stream=1)
    stage.put(name, stage.now + 8, "READ", 1, 2, addr=words[3], stream=c.streams)
    stage.mask(name, mask, stage.now, stage.now + 10)


def _write(stage: Stage, name: str, mask: int, west: int) -> None:
    """WRITE to the edges, and READ in the same word from the other bank."""
    c, words = stage.config, edge_words(stage.config)
    code = (2 * c.streams - 1) if west else 0
    stage.own(name)
    values = np.arange(4 * c.vl).reshape(4, -1) + 17
    stage.bring(name, code, stage.now, values & 255)
    order = (words[0], words[2], words[1], words[3])
    for k, addr in enumerate(order):
        stage.put(name, stage.now + k, "WRITE", addr=addr, stream=code)
    for k in (1, 2, 3):
        other = order[k - 1]
        if mask == stage.full and other // c.bank_words != order[k] // c.bank_words:
            stage.put(name, stage.now + k, "READ", addr=other, stream=k + c.streams * west)
    stage.mask(name, mask, stage.now, stage.now + 3)


def _offsets(c: Config, rows: int) -> np.ndarray:
    """int16 offsets in lane 0 of each superlane, other lanes full of other numbers: int64 [3, VL]."""
    offsets = np.full((3, c.vl), 0x7FFF)
    lane0 = np.array([[0], [rows - 1], [0xFFFF]])
    offsets[:, :: c.lanes] = lane0[(np.arange(3)[:, None] + np.arange(c.superlanes)) % 3, 0]
    return offsets


def _gather(stage: Stage, name: str, region: tuple[int, int], mask: int, west: int) -> None:
    """GATHER with offsets 0, rows - 1 and the one that reads zero, another one in every superlane."""
    c, (addr, rows) = stage.config, region
    code = c.streams * west
    stage.own(name)
    stage.bring_group(name, code, stage.now, _offsets(c, rows), 2)
    for k in range(3):
        stream = (c.streams - 1 - k) + c.streams * ((west + k) % 2)
        stage.put(name, stage.now + k, "GATHER", addr=addr, rows=rows, stream=stream, map=code)
    stage.mask(name, mask, stage.now, stage.now + 2)


def _scatter(stage: Stage, name: str, region: tuple[int, int], mask: int, west: int) -> None:
    """SCATTER with offsets 0, rows - 1 and the one that writes nothing."""
    c, (addr, rows) = stage.config, region
    code = c.streams * west
    stage.own(name)
    stage.bring_group(name, code, stage.now, _offsets(c, rows), 2)
    stage.bring(name, code + 3, stage.now, np.arange(3 * c.vl).reshape(3, -1) & 255)
    for k in range(3):
        stage.put(name, stage.now + k, "SCATTER", addr=addr, rows=rows, stream=code + 3, map=code)
    stage.mask(name, mask, stage.now, stage.now + 2)
