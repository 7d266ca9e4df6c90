"""A model as programs for one chip or several: the whole way, and how the host runs them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.system import System
from sw.asm.image import Image
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.check.program import check
from sw.check.system import check_system
from sw.compiler.chip import Chip
from sw.compiler.emit import emit, keep
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.joint import Joint
from sw.compiler.lower.lowering import Lowering
from sw.compiler.memory import Memory
from sw.compiler.normalise import normalise
from sw.compiler.parts import parts
from sw.compiler.place import Placer
from sw.compiler.schedule import Schedule
from sw.compiler.vectors import Copy, Vector
from sw.compiler.verify import verify_graph, verify_schedule, verify_tasks
from sw.network.start import Start


class CompileError(ValueError):
    """A graph that cannot become a program; the text says what was found and what is possible."""


@dataclass(frozen=True)
class Binding:
    """A tensor at the host: `places[v]` gives slice and word of each byte of vector v, rows and then tiles."""

    shape: tuple[int, ...]
    dtype: DType
    places: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def last(self) -> int:
        """Length of the last axis."""
        return self.shape[-1] if self.shape else 1

    def pack(self, values: np.ndarray, vl: int) -> np.ndarray:
        """uint8 [vectors, bytes, vl]; a last axis of 1 is copied into every lane."""
        rows = np.ascontiguousarray(values).reshape(-1, self.last)
        width = -(-self.last // vl) * vl
        padded = np.zeros((len(rows), width), self.dtype.numpy)
        padded[:, : self.last] = rows
        if self.last == 1:
            padded[:] = rows
        lanes = padded.view(np.uint8).reshape(-1, vl, self.dtype.streams)
        return np.ascontiguousarray(lanes.transpose(0, 2, 1))

    def unpack(self, raw: np.ndarray) -> np.ndarray:
        """The tensor from uint8 [vectors, bytes, vl]."""
        lanes = np.ascontiguousarray(raw.transpose(0, 2, 1)).view(self.dtype.numpy)[..., 0]
        rows = int(np.prod(self.shape[:-1], dtype=np.int64))
        return lanes.reshape(rows, -1)[:, : self.last].reshape(self.shape)


@dataclass(frozen=True)
class Compiled:
    """A program with the bindings of its inputs and outputs. `cycles` is what one run takes, on any machine."""

    config: Config
    image: Image
    inputs: dict[str, Binding]
    outputs: dict[str, Binding]
    cycles: int

    def load(self, machine) -> None:
        """Loads a `Machine` (see `sw.machine`); states are as at the beginning."""
        machine.load(self.image)

    def step(self, machine, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run on a loaded machine: outputs by name. States move on. CompileError for inputs that do not fit,
        or a run that does not take `cycles`."""
        self.write(machine, inputs)
        run = machine.run()
        if run.fault or run.cycles != self.cycles:
            raise CompileError(f"The run took {run.cycles} cycles, {self.cycles} were predicted. {run.fault or ''}")
        return self.read(machine)

    def write(self, machine, inputs: Mapping[str, np.ndarray]) -> None:
        """Brings all inputs into a loaded machine. CompileError for one that is missing, unknown or does not fit."""
        if unknown := inputs.keys() - self.inputs.keys():
            raise CompileError(f"There is no input '{min(unknown)}'; there are {', '.join(self.inputs) or 'none'}.")
        for name, binding in self.inputs.items():
            if name not in inputs:
                raise CompileError(f"The input '{name}' is missing; given are {', '.join(inputs) or 'none'}.")
            value = np.asarray(inputs[name])
            if value.shape != binding.shape or value.dtype != binding.dtype.numpy:
                raise CompileError(
                    f"The input '{name}' is {value.dtype}{list(value.shape)}, it must be "
                    f"{binding.dtype.text}{list(binding.shape)}."
                )
            words = {}
            for place, raw in zip(binding.places, binding.pack(value, self.config.vl), strict=True):
                words.update(zip(place, raw, strict=True))
            for (s, first), count in _regions(binding):
                machine.write(s, first, np.stack([words[s, first + k] for k in range(count)]))

    def read(self, machine) -> dict[str, np.ndarray]:
        """Outputs by name, after a run."""
        return {name: _read(machine, binding) for name, binding in self.outputs.items()}


def _read(machine, binding: Binding) -> np.ndarray:
    words = {}
    for (s, first), count in _regions(binding):
        words.update(((s, first + k), row) for k, row in enumerate(machine.read(s, first, count)))
    return binding.unpack(np.array([[words[at] for at in place] for place in binding.places]))


@dataclass(frozen=True)
class CompiledSystem:
    """Programs of several chips, each with the bindings of what is on its chip.

    body : cycles, on all chips alike, from when all run and links are aligned to when the last is done
    """

    system: System
    parts: tuple[Compiled, ...]
    body: int

    @property
    def cycles(self) -> tuple[int, ...]:
        """What one run takes of each chip's program time, start included."""
        return tuple(part.cycles for part in self.parts)

    def load(self, machine) -> None:
        """Loads all chips of a machine; states are as at the beginning."""
        for chip, part in zip(machine.chips, self.parts, strict=True):
            part.load(chip)

    def step(self, machine, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run on a loaded machine: outputs by name. CompileError for inputs that do not fit, or a run that does not
        take `cycles` on each chip."""
        known = {name for part in self.parts for name in part.inputs}
        if unknown := inputs.keys() - known:
            raise CompileError(f"There is no input '{min(unknown)}'; there are {', '.join(sorted(known)) or 'none'}.")
        for chip, part in zip(machine.chips, self.parts, strict=True):
            part.write(chip, {name: value for name, value in inputs.items() if name in part.inputs})
        for number, (run, cycles) in enumerate(zip(machine.run(), self.cycles, strict=True)):
            if run.fault or run.cycles != cycles:
                sentence = f"The run of chip {number} took {run.cycles} cycles, {cycles} were predicted."
                raise CompileError(f"{sentence} {run.fault or ''}")
        return {name: value for chip, part in zip(machine.chips, self.parts, strict=True) for name, value in part.read(chip).items()}


def compile_graph(graph: Graph, config: Config) -> Compiled:
    """The program of a graph on a chip, proven by the checker. CompileError in a sentence if there is none."""
    return compile_system(graph, System(config, 1)).parts[0]


def compile_system(graph: Graph, system: System) -> CompiledSystem:
    """The programs of a graph that is spread over chips, proven by the checker. CompileError in a sentence if there are
    none."""
    try:
        return _compile(graph, system)
    except (GraphError, ValueError) as error:
        if isinstance(error, CompileError):
            raise
        raise CompileError(str(error)) from error


def _compile(graph: Graph, system: System) -> CompiledSystem:
    config = system.config
    chip = Chip(config)
    verify_graph(graph)
    normal = normalise(graph, config.vl)
    verify_graph(normal)
    if (last := max((tensor.chip or 0 for tensor in normal.tensors), default=0)) >= system.chips:
        raise CompileError(f"'{graph.name}' has tensors on chip {last}, the system's last chip is {system.chips - 1}.")
    schedules = []
    for part in parts(normal, system.chips):
        lowering = Lowering(part, chip)
        verify_tasks(lowering)
        memory = Memory(config, len(chip.slices))
        Placer(lowering, chip, memory)
        schedules.append(Schedule(lowering, chip, memory))
    joint = Joint(system, schedules)
    used = [link for link in system.links if link in joint.transfers.used]
    start = Start(system, used) if used else None
    compiled = tuple(_program(schedule, start, number) for number, schedule in enumerate(schedules))
    images = [part.image for part in compiled]
    findings = check(images[0]) if system.chips == 1 else check_system(system, images)
    if findings:
        raise CompileError(f"The checker refuses the program of '{graph.name}': {findings[0]}")
    begins = [start.cycle(number, start.begin) if start else 0 for number in range(system.chips)]
    return CompiledSystem(system, compiled, max(part.cycles - at for part, at in zip(compiled, begins, strict=True)))


def _program(schedule: Schedule, start: Start | None, number: int) -> Compiled:
    """The program of one chip. Without a start its first cycle is that of the schedule."""
    lowering, graph, chip = schedule.lowering, schedule.lowering.graph, schedule.chip
    verify_schedule(lowering)
    outputs = {name: _output(value, lowering.results[name], schedule) for name, value in graph.outputs.items()}
    inputs = {name: _bind(value, lowering.grids[value], _first) for name, value in graph.inputs.items()}
    program = Program(chip.config)
    if start is not None:
        start.write(number, program)
    emit(program, chip, lowering, schedule, start.cycle(number, start.begin) if start else 0)
    for bindings, declare in ((inputs, program.input), (outputs, program.output)):
        for name, binding in bindings.items():
            for at, words in _regions(binding):
                declare(f"{name}:{at[0]}:{at[1]}", *at, words)
    image = program.image()
    return Compiled(chip.config, image, inputs, outputs, timeline(image).cycles)


def _first(vector: Vector) -> Copy:
    """The copy of an input that the host writes."""
    return vector.copies[0]


def _output(value: Tensor, grid: np.ndarray, schedule: Schedule) -> Binding:
    for vector in grid.reshape(-1):
        if vector.data is not None and not vector.copies:
            slices = tuple(schedule.chip.sides[1][: vector.bytes])
            schedule.memory.place_constant(vector, slices, schedule.board)
    return _bind(value, grid, keep)


def _bind(value: Tensor, grid: np.ndarray, choose) -> Binding:
    copies = [choose(vector) for vector in grid.reshape(-1)]
    places = tuple(tuple(zip(copy.slices, copy.words, strict=True)) for copy in copies)
    return Binding(value.shape, value.dtype, places)


def _regions(binding: Binding):
    """Runs of words of a binding: ((slice, first word), words)."""
    words = sorted({at for place in binding.places for at in place})
    first = 0
    for k in range(1, len(words) + 1):
        if k == len(words) or words[k] != (words[k - 1][0], words[k - 1][1] + 1):
            yield words[first], k - first
            first = k
