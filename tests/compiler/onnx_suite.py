"""ONNX's own suite of node tests: `python -m tests.compiler.onnx_suite [--golden] [part of a name …]`.

With --golden on the golden model of the chip `small`, else by evaluation of the graph in numpy.

A test counts as passed only if something is computed from its inputs on the machine; one whose outputs follow from
constants, shapes and parameters is counted as folded.
"""

import collections
import os
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner, _normalize_tensor
from rich.console import Console
from rich.progress import track

from sw.arch.config import load
from sw.asm.entry import ProgramError
from sw.compiler.compiled import CompileError, compile_graph
from sw.compiler.graph import Graph, GraphError
from sw.compiler.memory import MemoryFull
from sw.compiler.onnx.backend import TaktBackend
from sw.golden.chip import GoldenMachine

PASSED, FOLDED, REFUSED, LATE, LARGE, FAILED = "passed", "folded", "refused", "refused at run", "too large", "failed"
OUTCOMES = (PASSED, FOLDED, REFUSED, LATE, LARGE, FAILED)
#: Why a program may not fit the chip.
_SIZES = (MemoryFull, ProgramError)


#: Tests with a wider relative tolerance: the suite's reference sums FP16 products in FP16, the machine in FP32.
RTOL = {"test_attention_4d_causal_fp16": 2e-3, "test_attention_4d_causal_fp16_expanded": 2e-3}


class OnGolden:
    """A graph compiled for the chip `small`, run on its golden model."""

    def __init__(self, graph: Graph):
        config = load("small")
        self.compiled, self.machine = compile_graph(graph, config), GoldenMachine(config)
        self.compiled.load(self.machine)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by name."""
        return self.compiled.step(self.machine, inputs)


class GoldenBackend(TaktBackend):
    """The suite's view of the golden model."""

    executor = OnGolden


@dataclass
class Outcome:
    """What became of one test; `text` says why it was refused or how it failed."""

    name: str
    operator: str
    kind: str
    text: str = ""


@dataclass
class Report:
    """Outcomes of a run of the suite."""

    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Number of tests of this outcome."""
        return sum(outcome.kind == kind for outcome in self.outcomes)

    def table(self) -> str:
        """Counts by operator, those of expanded functions under the function's name."""
        counts = collections.defaultdict(collections.Counter)
        for outcome in self.outcomes:
            counts[outcome.operator][outcome.kind] += 1
        lines = [f"{'operator':32}" + "".join(f"{kind:>16}" for kind in OUTCOMES)]
        for operator in sorted(counts):
            lines.append(f"{operator:32}" + "".join(f"{counts[operator][kind] or '':>16}" for kind in OUTCOMES))
        lines.append(f"{'sum':32}" + "".join(f"{self.count(kind):>16}" for kind in OUTCOMES))
        return "\n".join(lines)


def run(backend=TaktBackend, wanted=lambda name: True, processes: int | None = None) -> Report:
    """Runs the tests whose names are `wanted` at the suite's own tolerances, but for those in `RTOL`.

    processes : how many run side by side, with a bar of progress; none but this one by default
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = [test for test in load_model_tests(kind="node") if wanted(test.name)]
        if processes is None:
            return Report([_outcome(test, backend) for test in tests])
        with ProcessPoolExecutor(processes, initializer=_quiet) as pool:
            found = pool.map(partial(_outcome, backend=backend), tests, chunksize=4)
            return Report(list(track(found, "ONNX's tests", len(tests), console=Console(stderr=True))))


def _quiet() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")


def _outcome(test, backend) -> Outcome:
    name = test.name.removeprefix("test_")
    operators = {node.op_type for node in test.model.graph.node}
    operator = operators.pop() if len(operators) == 1 else name.partition("_expanded")[0] + " (expanded)"
    if not backend.is_compatible(test.model):
        return Outcome(name, operator, REFUSED, backend.refusal(test.model))
    prepared, rtol = backend.prepare(test.model), RTOL.get(test.name, test.rtol)
    try:
        for inputs, expected in test.data_sets:
            results = prepared.run([_normalize_tensor(one) for one in inputs])
            Runner.assert_similar_outputs([_normalize_tensor(one) for one in expected], results, rtol, test.atol)
    except GraphError as error:
        return Outcome(name, operator, LATE, str(error))
    except CompileError as error:
        return Outcome(name, operator, LARGE if isinstance(error.__cause__, _SIZES) else FAILED, str(error))
    except AssertionError as error:
        return Outcome(name, operator, FAILED, " ".join(str(error).split())[:400])
    except Exception:
        return Outcome(name, operator, FAILED, traceback.format_exc())
    return Outcome(name, operator, PASSED if _computes(prepared.imported) else FOLDED)


def _computes(imported) -> bool:
    """Whether an output of the graph depends on an input of the graph."""
    live, pending = set(), list(imported.graph.outputs.values())
    while pending:
        tensor = pending.pop()
        if tensor not in live:
            live.add(tensor)
            pending += tensor.operands
    return any(tensor.op == "input" for tensor in live)


def main() -> None:
    """Prints the counts, and every failure; exits with 1 if there is one."""
    start = time.time()
    parts = [part for part in sys.argv[1:] if part != "--golden"]
    backend = GoldenBackend if "--golden" in sys.argv else TaktBackend
    report = run(backend, lambda name: not parts or any(part in name for part in parts), os.cpu_count())
    print(report.table())
    for outcome in report.outcomes:
        if outcome.kind in (LATE, LARGE, FAILED):
            print(f"{outcome.kind}: {outcome.name}: {outcome.text}")
    print(f"{time.time() - start:.0f} s")
    sys.exit(report.count(FAILED) > 0)


if __name__ == "__main__":
    main()
