"""Takt as a backend of ONNX's own test suite."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from sw.compiler.onnx.importer import Imported, import_model
from sw.compiler.onnx.node import NeedsValue


class Prepared(BackendRep):
    """A model ready to run; it is compiled anew for every set of values that the program depends on.

    imported : the graph of the last run, None before
    """

    def __init__(self, model: onnx.ModelProto, executor: Callable):
        self._model, self._executor = model, executor
        self._static: frozenset[str] = frozenset()
        known = {one.name for one in model.graph.initializer}
        self._names = [port.name for port in model.graph.input if port.name not in known]
        self.imported: Imported | None = None

    def run(self, inputs: Sequence[np.ndarray] | Mapping[str, np.ndarray], **_) -> tuple[np.ndarray, ...]:
        """Outputs in order; inputs in order or by name."""
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(self._names, inputs, strict=True))
        self.imported = self._import(given)
        results = {}
        if self.imported.graph.outputs:
            results = self._executor(self.imported.graph).run(self.imported.encode(given))
        return tuple(self.imported.decode(results).values())

    def _import(self, given: Mapping[str, np.ndarray]) -> Imported:
        while True:
            try:
                return import_model(self._model, {name: given[name] for name in self._static})
            except NeedsValue as error:
                if error.inputs <= self._static:
                    raise
                self._static |= error.inputs


class TaktBackend(Backend):
    """`executor` makes of a graph what has `run(inputs) -> outputs`, both by name; a subclass may set another."""

    executor: Callable[[Graph], object] = Evaluator

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """There is one device, which ONNX calls CPU."""
        return device == "CPU"

    @classmethod
    def refusal(cls, model: onnx.ModelProto) -> str:
        """Why a model does not compile, as far as that does not depend on the values of its inputs; empty if it does."""
        try:
            import_model(model)
        except NeedsValue:
            return ""
        except GraphError as error:
            return str(error)
        return ""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **_) -> bool:
        """Whether there is no refusal."""
        return not cls.refusal(model)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **_) -> Prepared:
        """A model ready to run; GraphError where it does not compile."""
        return Prepared(model, cls.executor)
