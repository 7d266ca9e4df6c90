"""All planes of a chip get their weights from memory at once: how long it takes, and a trial of them."""

from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Unit, floorplan
from sw.asm.flow import arrival, lead, read_time
from sw.asm.image import Image
from sw.asm.program import Program
from sw.isa.table import instruction
from sw.machine import Machine, MachineError

#: Columns that one LW brings; first of the streams of a plane's 16 on which its sums come back.
COLUMNS, RESULT_STREAM = 16, 4


@dataclass(frozen=True)
class WeightLoad:
    """The program. `cycles` counts from the first READ up to the first cycle in which every plane can start a
    pass with its new weights, in superlane-0 time; the last superlane is `stagger` cycles behind.

    To try the weights the program goes on with one pass on every plane in the first cycle that allows it.
    """

    image: Image
    cycles: int
    stagger: int


def planes(c: Config) -> tuple[Unit, ...]:
    """The planes of a chip."""
    return tuple(unit for unit in floorplan(c).units if unit.kind == "MXM")


def weight_load(c: Config) -> WeightLoad:
    """The program for a chip with streams for all planes of a hemisphere at once."""
    program, plan = Program(c), floorplan(c)
    install = instruction("IW").timing(c, {}).d_func
    loads = c.vl // COLUMNS
    chosen = {unit: _slices(c, unit) for unit in planes(c)}
    far = max(lead(c, plan.unit(f"MEM_{name}"), unit) for unit, names in chosen.items() for name in names)
    ready = far + loads - 1 + install
    for unit, names in chosen.items():
        letter, queue = "WE"[unit.hemisphere], f"{unit.name}_W"
        stream = COLUMNS * unit.number
        for j, name in enumerate(names):
            program.input(f"weights_{unit.name}_{j}", name, 0, loads)
            place = program.at(read_time(c, f"MEM_{name}", unit.name, far)).mem(name)
            place.read(0, f"{letter}{stream + j}", stride=1).repeat(loads - 1)
        early = program.at(far).queue(queue)
        early.lw("int8", f"{letter}{stream}", COLUMNS, 0, stride=COLUMNS).repeat(loads - 2)
        late = program.at(far + loads - 1).queue(queue)
        late.lw("int8", f"{letter}{stream}", COLUMNS, c.vl - COLUMNS)
        late.iw()
        _trial(program, unit, names[:4], ready)
    return WeightLoad(program.image(), ready, c.superlanes - 1)


def _slices(c: Config, unit: Unit) -> list[str]:
    """The slices with the weights of a plane: those of the first plane are next to the edge."""
    first = c.mem.slices - COLUMNS * (unit.number + 1)
    return [f"{'WE'[unit.hemisphere]}{number}" for number in range(first, first + COLUMNS)]


def _trial(program: Program, unit: Unit, slices: list[str], ready: int) -> None:
    """A pass in cycle `ready`, its vector and its sums in the upper banks of slices."""
    c, upper = program.config, program.config.bank_words
    letter, back = "WE"[unit.hemisphere], "EW"[unit.hemisphere]
    stream = f"{letter}{COLUMNS * unit.number}"
    program.input(f"trial_{unit.name}", slices[0], upper, 1)
    program.at(read_time(c, f"MEM_{slices[0]}", unit.name, ready)).mem(slices[0]).read(upper, stream)
    passes = program.at(ready).queue(f"{unit.name}_A").abc("int8", stream)
    meets = ready + passes.word[0].timing(c).d_func
    out = COLUMNS * unit.number + RESULT_STREAM
    sums = program.at(meets).queue(f"{unit.name}_R").acc("int8", "pass", 0, f"{back}{out}")
    for j, name in enumerate(slices):
        program.output(f"sums_{unit.name}_{j}", name, upper + 1, 1)
        program.at(arrival(sums, f"MEM_{name}")).mem(name).write(upper + 1, f"{back}{out + j}")


def tried(c: Config, machine: Machine, seed: int) -> WeightLoad:
    """The program, once it has run with random weights and vectors; MachineError if a plane's sums are wrong."""
    rng, count = np.random.default_rng(seed), len(planes(c))
    weights = rng.integers(-128, 128, (count, c.vl, c.vl), np.int8)
    vectors = rng.integers(-128, 128, (count, c.vl), np.int8)
    program = weight_load(c)
    sums = _sums(machine, program, weights, vectors)
    # float64 holds every sum exactly
    if (sums != np.einsum("pk,pkn->pn", vectors.astype(float), weights.astype(float))).any():
        raise MachineError("A plane has other weights than memory held.")
    return program


def _sums(machine: Machine, load: WeightLoad, weights: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Runs the program with int8 [planes, VL, VL] and [planes, VL]; gives the sums, int32 [planes, VL].

    MachineError for a fault.
    """
    c, found = load.image.config, []
    machine.load(load.image)
    for unit, matrix, vector in zip(planes(c), weights, vectors, strict=True):
        columns = np.ascontiguousarray(matrix.T).view(np.uint8)
        for j in range(COLUMNS):
            machine.write(f"weights_{unit.name}_{j}", 0, np.ascontiguousarray(columns[j::COLUMNS]))
        machine.write(f"trial_{unit.name}", 0, vector.view(np.uint8)[None])
    run = machine.run()
    if run.fault:
        raise MachineError(f"The chip stopped. {run.fault}")
    for unit in planes(c):
        words = [machine.read(f"sums_{unit.name}_{j}", 0, 1)[0] for j in range(4)]
        found.append(np.stack(words, axis=-1).view(np.int32)[:, 0])
    return np.array(found)
