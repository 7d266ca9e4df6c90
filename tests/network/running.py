"""Schedules run on the golden system: what chips have before, and what they have in the end."""

from collections.abc import Sequence

import numpy as np

from sw.arch.dtype import DType
from sw.arch.system import System
from sw.asm.program import Program
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.network.adder import Addition
from sw.network.programs import Room, Traffic, lead_in
from sw.network.schedule import Name, Receive, Schedule, Sum
from sw.network.start import Start

SEED = 2042


def together(system: System) -> tuple[list[Program], list[int]]:
    """Programs of chips that have just been started, and for each chip the cycle in which a schedule's cycle 0 can be."""
    start, found = Start(system), [Program(system.config) for _ in range(system.chips)]
    for chip, program in enumerate(found):
        start.write(chip, program)
    begin = start.begin + lead_in(system.config)
    return found, [start.cycle(chip, begin) for chip in range(system.chips)]


def given_vectors(schedule: Schedule, vl: int, addition: Addition) -> dict[tuple[int, Name], np.ndarray]:
    """Random bytes, or FP32 of which the vectors with numbers 4 k to 4 k + 3 are the bytes, low byte first."""
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    if not addition.dtype.is_float:
        return {place: rng.integers(0, 256, vl, np.uint8) for place in schedule.given}
    found = {}
    for chip, name in schedule.given:
        *kind, number = name
        if number % 4 == 0:
            values = rng.normal(size=(vl, 1)).astype(np.float32).view(np.uint8)
            found |= {(chip, (*kind, number + byte)): values[:, byte].copy() for byte in range(4)}
    return found


def store(chips: Sequence, traffic: Traffic, values: dict[tuple[int, Name], np.ndarray]) -> None:
    for (chip, name), value in values.items():
        for where, addr in traffic.given[chip, name]:
            chips[chip].write(where, addr, value[None])


def kept(chips: Sequence, traffic: Traffic, goals) -> dict[tuple[int, Name], np.ndarray]:
    return {(chip, name): chips[chip].read(*traffic.kept[chip, name], 1)[0] for chip, name in goals}


def add(values: list[np.ndarray], addition: Addition) -> np.ndarray:
    """Sums of vectors of bytes [width, VL] as numbers: the front half and, from the back, the other half, then both."""
    numbers = [_numbers(value, addition.dtype) for value in values]
    half = (len(numbers) + 1) // 2
    front, back = numbers[:half], numbers[half:][::-1]
    total = _fold(front, addition)
    total = _two(total, _fold(back, addition), addition)
    return total[:, None].view(np.uint8).T


def _numbers(value: np.ndarray, dtype: DType) -> np.ndarray:
    return np.ascontiguousarray(value.T).view(dtype.numpy).reshape(-1)


def _fold(values: list[np.ndarray], addition: Addition) -> np.ndarray:
    total = values[0]
    for value in values[1:]:
        total = _two(total, value, addition)
    return total


def _two(a: np.ndarray, b: np.ndarray, addition: Addition) -> np.ndarray:
    if addition.dtype.is_float:
        return a + b
    if not addition.saturating:
        return a + b
    limits = np.iinfo(a.dtype)
    return np.clip(a.astype(np.int64) + b, limits.min, limits.max).astype(a.dtype)


def expected(schedule: Schedule, values: dict[tuple[int, Name], np.ndarray], addition: Addition) -> dict:
    """By chip and name what is there in the end, following names alone."""
    found, sources = dict(values), schedule.network.targets
    everywhere = {name: value for (_, name), value in values.items()}
    for event in sorted(schedule.events, key=lambda event: event.cycle):
        if isinstance(event, Receive):
            found[sources[event.link], event.name] = everywhere[event.name]
        elif isinstance(event, Sum):
            parts = [np.stack([found[event.chip, same[k]] for same in event.parts]) for k in range(len(event.parts[0]))]
            for name, value in zip(event.names, add(parts, addition), strict=True):
                found[event.chip, name] = everywhere[name] = value
    return found


def run(schedule: Schedule, goals, addition: Addition | None = None, room: Room | None = None, values=None) -> tuple:
    """Proves and runs a schedule, and compares every vector of `goals`. The system, its traffic and its origins."""
    system, addition = schedule.network.system, addition or Addition()
    programs, origins = together(system)
    traffic = Traffic(schedule, programs, origins, addition, room)
    images = [program.image() for program in programs]
    assert check_system(system, images) == []
    golden = GoldenSystem(system)
    for chip, image in zip(golden.chips, images, strict=True):
        chip.load(image)
    values = values or given_vectors(schedule, system.config.vl, addition)
    store(golden.chips, traffic, values)
    ends = golden.run(traced=range(1))
    assert not any(end.fault for end in ends)
    wanted = expected(schedule, values, addition)
    for place, value in kept(golden.chips, traffic, goals).items():
        assert (value == wanted[place]).all(), place
    return golden, traffic, origins
