"""A model as programs for one chip or several: the whole way, and how the host runs them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.system import System
from sw.asm.image import Image
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.check.program import check
from sw.check.system import check_system
from sw.compiler.binding import Binding
from sw.compiler.board import Pauses
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
            binding.write(machine, value, self.config.vl)

    def read(self, machine) -> dict[str, np.ndarray]:
        """Outputs by name, after a run."""
        return {name: binding.read(machine) for name, binding in self.outputs.items()}


@dataclass(frozen=True)
class CompiledSystem:
    """Programs of several chips, each with the bindings of what is on its chip.

    body : cycles from when all chips run and links are aligned to the end, which all reach together
    """

    system: System
    parts: tuple[Compiled, ...]
    body: int

    @property
    def config(self) -> Config:
        """That of every chip."""
        return self.system.config

    @property
    def cycles(self) -> tuple[int, ...]:
        """What one run takes of each chip's program time, the start included."""
        return tuple(part.cycles for part in self.parts)

    @property
    def inputs(self) -> dict[str, Binding]:
        """Inputs of all chips by name."""
        return {name: binding for part in self.parts for name, binding in part.inputs.items()}

    @property
    def outputs(self) -> dict[str, Binding]:
        """Outputs of all chips by name."""
        return {name: binding for part in self.parts for name, binding in part.outputs.items()}

    def load(self, machine) -> None:
        """Loads all chips of a `MachineSystem` (see `sw.machine`); states are as at the beginning."""
        machine.load([part.image for part in self.parts])

    def step(self, machine, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run on a loaded machine: outputs by name. States move on. CompileError for inputs that do not fit, or a run
        that does not take `cycles` on each chip."""
        self.write(machine, inputs)
        for number, (run, cycles) in enumerate(zip(machine.run(), self.cycles, strict=True)):
            if run.fault or run.cycles != cycles:
                sentence = f"The run of chip {number} took {run.cycles} cycles, {cycles} were predicted."
                raise CompileError(f"{sentence} {run.fault or ''}")
        return self.read(machine)

    def write(self, machine, inputs: Mapping[str, np.ndarray]) -> None:
        """Brings all inputs to their chips. CompileError for one that is missing, unknown or does not fit."""
        if unknown := inputs.keys() - self.inputs.keys():
            raise CompileError(f"There is no input '{min(unknown)}'; there are {', '.join(self.inputs) or 'none'}.")
        for chip, part in zip(machine.chips, self.parts, strict=True):
            part.write(chip, {name: value for name, value in inputs.items() if name in part.inputs})

    def read(self, machine) -> dict[str, np.ndarray]:
        """Outputs of all chips by name, after a run."""
        both = zip(machine.chips, self.parts, strict=True)
        return {name: value for chip, part in both for name, value in part.read(chip).items()}


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
    verify_graph(graph)
    normal = normalise(graph, config.vl)
    verify_graph(normal)
    if (last := max((tensor.chip or 0 for tensor in normal.tensors), default=0)) >= system.chips:
        raise CompileError(f"'{graph.name}' has tensors on chip {last}, the system's last chip is {system.chips - 1}.")
    joint = _joint(normal, system)
    if joint.transfers.end >= config.c2c.stretch:
        joint = _joint(normal, system, Pauses(config.c2c.stretch, Start(system).resume(0)))
    used = [link for link in system.links if link in joint.transfers.used]
    start = Start(system, used) if used else None
    made = [_program(schedule, start, number) for number, schedule in enumerate(joint.schedules)]
    begins = [start.cycle(number, start.begin) if start else 0 for number in range(system.chips)]
    lasts = [timeline(program.image()).cycles - begin for (program, *_), begin in zip(made, begins, strict=True)]
    if start:
        for number, (program, *_) in enumerate(made):
            for time in joint.pauses:
                start.pause(number, program, start.begin + time)
            start.end(number, program, start.begin + max(lasts) - 1)
    images = [program.image() for program, *_ in made]
    findings = check_system(system, images) if start else [found for image in images for found in check(image)]
    if findings:
        raise CompileError(f"The checker refuses the program of '{graph.name}': {findings[0]}")
    compiled = (
        Compiled(config, image, *bindings, timeline(image).cycles) for image, (_, *bindings) in zip(images, made, strict=True)
    )
    return CompiledSystem(system, tuple(compiled), max(lasts))


def _joint(graph: Graph, system: System, pauses: Pauses | None = None) -> Joint:
    """The schedule of a normalised graph on all chips."""
    chip, schedules = Chip(system.config), []
    for part in parts(graph, system.chips):
        lowering = Lowering(part, chip)
        verify_tasks(lowering)
        memory = Memory(system.config, len(chip.slices))
        Placer(lowering, chip, memory)
        schedules.append(Schedule(lowering, chip, memory, pauses))
    return Joint(system, schedules, pauses)


def _program(schedule: Schedule, start: Start | None, number: int) -> tuple[Program, dict[str, Binding], dict[str, Binding]]:
    """The program of one chip, its inputs and outputs. Without a start its first cycle is that of the schedule."""
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
            for at, words in binding.regions:
                declare(f"{name}:{at[0]}:{at[1]}", *at, words)
    return program, inputs, outputs


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
