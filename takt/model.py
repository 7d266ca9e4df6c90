"""A model as a program: compiled, kept in a file, run on a machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sw.arch.config import Config, ConfigError, load
from sw.arch.system import System
from sw.compiler.border import Border
from sw.compiler.bounds import bounds
from sw.compiler.compiled import CompiledSystem, CompileError, compile_system
from sw.compiler.container import About, Container
from sw.compiler.graph import Graph, GraphError
from sw.compiler.llama.checkpoint import Checkpoint
from sw.compiler.spread.choice import fastest
from sw.compiler.spread.schemes import SCHEMES, spread
from sw.compiler.stats import statistics
from sw.machine import MachineError, MachineSystem
from sw.network.topology import node
from takt.files import replacing
from takt.sources import Source, language, onnx_model, opened

#: How a model can be spread over chips.
SPREADS = ("auto", "heads", *SCHEMES)
#: Machines by the name that users choose them by.
MACHINES = ("golden", "rtl")


@dataclass(frozen=True, eq=False)
class Model:
    """A compiled model. Tensors at its border have the model's own shapes and types."""

    container: Container

    @classmethod
    def read(cls, path: str | Path) -> "Model":
        """The program in a file that `save` wrote; ContainerError in a sentence if it is none."""
        return cls(Container.from_bytes(Path(path).read_bytes(), str(path)))

    def save(self, path: str | Path) -> None:
        """Writes the program to one file, which is there whole or not at all."""
        with replacing(Path(path)) as file:
            file.write(self.container.to_bytes())

    @property
    def config(self) -> Config:
        """The chip that it is for."""
        return self.container.compiled.config

    @property
    def system(self) -> System:
        """The chips that it is for, and their links."""
        return self.container.compiled.system

    @property
    def cycles(self) -> int:
        """Cycles of one run, on any machine and for any input; of several chips those of the one that begins first."""
        return max(self.container.compiled.cycles)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its outputs."""
        return (*self.container.border.joined(self.container.compiled.outputs), *self.container.about.known)

    @property
    def stats(self) -> dict:
        """What a run does with the chip, see `sw.compiler.stats`, and under `bounds` what it cannot go below. Of several
        chips a list of it under `chips`."""
        each = [statistics(part.image) for part in self.container.compiled.parts]
        return (each[0] if len(each) == 1 else {"chips": each}) | {"bounds": dict(self.container.bounds)}

    def run(self, inputs: Mapping[str, np.ndarray], on: str = "golden") -> dict[str, np.ndarray]:
        """Outputs by name, from inputs by name, in one run from the initial state; `on` is `golden` or `rtl`."""
        with self.session(on) as session:
            return session.step(inputs)

    @contextmanager
    def session(self, on: str = "golden", waves: Path | None = None) -> Iterator["Session"]:
        """A machine that holds the program, for several runs; states move on from one to the next.

        waves : file that the RTL's signals go to. MachineError for what a simulator reports.
        """
        if on not in MACHINES:
            raise ValueError(f"There is no machine '{on}'; there are {' and '.join(MACHINES)}.")
        if on == "golden":
            from sw.golden.chip import GoldenSystem

            yield Session(self, GoldenSystem(self.system))
        else:
            # The golden model runs without the simulator and what it needs.
            from takt.rtl import machines

            with machines(self.system, waves) as made:
                yield Session(self, made)


class Session:
    """A program on a machine, which is a system of chips; `cycles` is what the last run took there, of several chips on the
    one that began first."""

    def __init__(self, model: Model, machine: MachineSystem):
        self.machine, self.cycles, self._model = machine, 0, model
        model.container.compiled.load(machine)

    def step(
        self, inputs: Mapping[str, np.ndarray], iterations: int = 1, traced: range = range(0)
    ) -> dict[str, np.ndarray]:
        """Outputs by name after a run, or `iterations` of them on the same inputs; those in `traced` are recorded.

        CompileError for inputs that do not fit, MachineError for a fault of the chip.
        """
        program, border = self._model.container.compiled, self._model.container.border
        program.write(self.machine, border.divide(self._encoded(inputs)))
        runs = self.machine.run(iterations, traced)
        self.cycles = max(run.cycles for run in runs)
        for number, run in enumerate(runs):
            if run.fault:
                raise MachineError(f"{f'Chip {number}: ' if len(runs) > 1 else ''}{run.fault}")
        return self._decoded(border.join(program.read(self.machine)))

    def _encoded(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        elements = self._model.container.about.elements
        return {
            name: _element(elements[name]).encode(_of_type(array, elements[name], name), name) if name in elements else array
            for name, array in inputs.items()
        }

    def _decoded(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        elements = self._model.container.about.elements
        made = {
            name: _element(elements[name]).decode(array) if name in elements else array for name, array in outputs.items()
        }
        return made | dict(self._model.container.about.known)


def compile(
    model: Graph | Checkpoint | str | Path | object,
    config: Config | System | str = "small",
    precision: str | None = None,
    tokenizer: str | Path | None = None,
    context: int | None = None,
    greedy: bool = False,
    chips: int = 1,
    scheme: str | None = None,
) -> Model:
    """Compiles a model for a chip or several; it is proven by the checker before it is handed out.

    model : a graph, an `onnx.ModelProto`, a language model's `Checkpoint`, or the path of an ONNX model (.onnx), of a
            llama2.c checkpoint (.bin) or of a folder with config.json and model.safetensors
    config : the chip, a preset's name, or the path of a TOML file; or a `System` of chips that are joined
    precision : of products; fp32 (default) and fp16 for ONNX models, fp16 (default) and int8 for language models
    tokenizer : llama2.c's file, by default `tokenizer.bin` beside the checkpoint
    context : positions that a language model keeps, by default all that it knows
    greedy : whether a language model's program chooses the tokens itself, see `sw.compiler.llama.build.decoder`
    chips : chips that share the work, all joined to each other by as many links as they have (see `sw.network.topology.node`)
    scheme : how they share it, one of `SPREADS`: `heads` (default) of language models, a scheme of `sw.compiler.spread`, or
             `auto` (default of others), the one that takes the fewest cycles

    GraphError, CheckpointError or CompileError in a sentence that names the node.
    """
    if isinstance(config, str):
        config = load(config)
    system = config if isinstance(config, System) else joined(config, chips)
    chip, heads = system.config, system.chips if scheme in (None, "heads") else 1
    name, words = "graph", None if tokenizer is None else Path(tokenizer)
    if isinstance(model, Graph):
        if precision:
            raise GraphError("A graph has its precision in its types, none can be chosen.")
        name, source = model.name, Source(model, About("as given"))
    elif isinstance(model, Checkpoint):
        name, source = "llama", language(model, chip, precision, words, context, greedy, heads)
    elif isinstance(model, str | Path):
        name = Path(model).name
        source = opened(Path(model), chip, precision, words, context, greedy, heads)
    else:
        source = onnx_model(model, precision)
    if not source.about.context and (words or context is not None or greedy):
        raise GraphError(f"{name} is no language model; tokenizer, context and greedy belong to language models.")
    if not source.graph.outputs:
        raise CompileError(f"All outputs of {name} are known without a run, there is nothing to compile.")
    made, border = _spread(source, system, scheme)
    return Model(Container(made, name, source.about, bounds(source.graph, chip), border))


def _spread(source: Source, system: System, scheme: str | None) -> tuple[CompiledSystem, Border]:
    """The programs of a source on the chips of a system. GraphError for a scheme that it cannot have."""
    scheme = scheme or ("heads" if source.about.context else "auto")
    if scheme not in SPREADS:
        raise GraphError(f"There is no scheme '{scheme}'; there are {', '.join(SPREADS)}.")
    if scheme == "heads" and not source.about.context:
        raise GraphError("The scheme 'heads' belongs to language models.")
    if scheme == "heads" or system.chips == 1:
        return compile_system(source.graph, system), source.border
    if scheme == "auto":
        return fastest(source.graph, system)
    graph, border = spread(source.graph, system, scheme)
    return compile_system(graph, system), border


def joined(config: Config, chips: int) -> System:
    """Chips of a configuration, each joined to each other by as many links as their ports allow. ConfigError if they cannot
    all be joined."""
    if chips == 1:
        return System(config, 1)
    ports = 2 * config.c2c.links
    if ports < chips - 1:
        needed = f"{chips - 1} port{'s' * (chips > 2)}"
        raise ConfigError(f"{chips} chips that are all joined need {needed} each, one of '{config.name}' has {ports}.")
    return node(config, chips, each=ports // (chips - 1))


def _element(code: int):
    from sw.compiler.onnx.types import ELEMENTS

    return ELEMENTS[code]


def _of_type(array: np.ndarray, code: int, name: str) -> np.ndarray:
    """`array`, which must be of the model's type."""
    array, wanted = np.asarray(array), _element(code).numpy
    if array.dtype != wanted:
        raise CompileError(f"The input '{name}' is {array.dtype}{list(array.shape)}, the model takes {wanted}.")
    return array
