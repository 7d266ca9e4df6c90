"""ONNX models as graphs.

Every node is lowered by its function in `operators.OPERATORS`; one without, by the function that the model or ONNX
itself defines it by. What depends on constants and shapes alone is computed now, by ONNX's reference evaluator. Shapes
are static. Where a shape, or a parameter such as the axes of a reduction, is an input of the model, its value must be
given to the import, and the program is made for this value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

from sw.compiler.formulas.products import dot_fp32
from sw.compiler.graph import Graph, Tensor
from sw.compiler.onnx.functions import OWN_DOMAINS, body, bound, own_function, since
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.operators import OPERATORS
from sw.compiler.onnx.reference import attributes, fold
from sw.compiler.onnx.types import Element, OnnxError, element

_RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
Product = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Imported:
    """A model as a graph, with what its border needs.

    graph : computes the outputs that are not known already
    inputs : type of each input of the graph
    outputs : the model's outputs in order; one with an array is known without a run
    """

    graph: Graph
    inputs: dict[str, Element]
    outputs: dict[str, Value]

    def encode(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the graph takes, from the model's inputs by name; OnnxError where an integer does not fit."""
        if missing := self.inputs.keys() - inputs.keys():
            raise OnnxError(f"The input '{min(missing)}' is missing; given are {', '.join(inputs) or 'none'}.")
        return {name: one.encode(np.asarray(inputs[name]), name) for name, one in self.inputs.items()}

    def decode(self, results: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's outputs by name, from the graph's."""
        return {
            name: value.array if value.tensor is None else value.element.decode(results[name])
            for name, value in self.outputs.items()
        }


def import_model(
    model: onnx.ModelProto, static: Mapping[str, np.ndarray] | None = None, product: Product = dot_fp32
) -> Imported:
    """The graph of a model.

    static : values of inputs that the program is made for, by name
    product : dense product of FP32 operands, of `sw.compiler.formulas.products`

    Raises OnnxError in a sentence; NeedsValue, a kind of it, names the inputs that `static` lacks.
    """
    graph = Graph(model.graph.name or "onnx")
    env = {one.name: Value(None, array=numpy_helper.to_array(one)) for one in model.graph.initializer}
    if model.graph.sparse_initializer:
        raise OnnxError("The model has sparse initializers; make them dense.")
    inputs = {}
    for port in model.graph.input:
        if port.name not in env:
            env[port.name] = _input(graph, port, (static or {}).get(port.name), inputs)
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    importer = _Importer(graph, {(f.domain, f.name): f for f in model.functions}, product)
    importer.run(model.graph.node, env, opsets)
    if missing := {port.name for port in model.graph.output} - env.keys():
        raise OnnxError(f"The model's output '{min(missing)}' is made by no node.")
    if not model.graph.output:
        raise OnnxError("The model has no outputs.")
    outputs = {port.name: env[port.name] for port in model.graph.output}
    for name, value in outputs.items():
        if value.tensor is not None:
            graph.output(name, value.tensor)
    return Imported(graph, inputs, outputs)


def _input(graph: Graph, port: onnx.ValueInfoProto, given: np.ndarray | None, inputs: dict[str, Element]) -> Value:
    """The value of an input of the model; one that becomes an input of the graph is entered into `inputs`."""
    where = f"The input '{port.name}'"
    if not port.type.HasField("tensor_type"):
        raise OnnxError(f"{where} is a {port.type.WhichOneof('value')}; inputs must be tensors.")
    one = element(port.type.tensor_type.elem_type, where)
    if given is not None:
        return Value(one, array=np.asarray(given))
    if not port.type.tensor_type.HasField("shape"):
        raise OnnxError(f"{where} has no shape; fix it, for example with onnx.tools.update_model_dims.")
    lengths = []
    for axis, dimension in enumerate(port.type.tensor_type.shape.dim):
        if not dimension.HasField("dim_value"):
            raise OnnxError(
                f"{where} has the length '{dimension.dim_param or '?'}' along axis {axis}; it must be a number, "
                f"set it for example with onnx.tools.update_model_dims."
            )
        lengths.append(dimension.dim_value)
    if 0 in lengths:
        return Value(one, array=np.zeros(lengths, one.numpy))
    inputs[port.name] = one
    return Value(one, tensor=graph.input(port.name, lengths, one.dtype))


def _known(value: Value) -> Value:
    """A value that came out as a constant, whatever the inputs are, is known now."""
    if value.tensor is None or value.tensor.op != "constant":
        return value
    return Value(value.element, array=value.element.decode(value.tensor.attributes["values"]))


class _Importer:
    """Lowers nodes into one graph; `functions` are the model's own by domain and name."""

    def __init__(self, graph: Graph, functions: Mapping[tuple[str, str], onnx.FunctionProto], product: Product):
        self.graph, self.functions, self.product = graph, functions, product

    def run(self, nodes, env: dict[str, Value], opsets: Mapping[str, int]) -> None:
        """Lowers nodes in order; `env` holds values by name and takes the results."""
        for proto in nodes:
            name = proto.name or next(filter(None, proto.output), proto.op_type)
            if missing := set(filter(None, proto.input)) - env.keys():
                raise OnnxError(f"Node '{name}' ({proto.op_type}) takes '{min(missing)}', which no node before it makes.")
            values = [env[one] if one else None for one in proto.input]
            for output, value in zip(proto.output, self._node(proto, name, values, env, opsets), strict=False):
                if output:
                    env[output] = value

    def _node(self, proto, name: str, values: list[Value | None], env, opsets) -> list[Value]:
        if (proto.domain, proto.op_type) in self.functions:
            return self._call(self.functions[proto.domain, proto.op_type], proto, values, opsets)
        own = proto.domain in OWN_DOMAINS
        opset = next((opsets[domain] for domain in (OWN_DOMAINS if own else (proto.domain,)) if domain in opsets), 0)
        if own and proto.op_type == "If":
            return self._branch(proto, name, values[0], env, opsets)
        if own and all(value is None or value.array is not None for value in values) and proto.op_type not in _RANDOM:
            return [Value(None, array=array) for array in fold(proto, name, [v and v.array for v in values], opset)]
        if own and proto.op_type in OPERATORS:
            self.graph.scope = name
            version = since(proto.op_type, opset)
            node = Node(self.graph, proto.op_type, name, version, values, attributes(proto), len(proto.output), self.product)
            # A node whose parts contradict each other fails in numpy as often as in the graph.
            try:
                result = OPERATORS[proto.op_type](node)
            except OnnxError:
                raise
            except (ValueError, IndexError) as error:
                raise node.error(f"does not compile: {str(error).rstrip('.')}.") from error
            return [_known(value) for value in ((result,) if isinstance(result, Value) else result)]
        function = own_function(proto, opset, values)
        if function is None:
            raise OnnxError(
                f"Node '{name}' is of the operator {proto.op_type} of the domain '{proto.domain or 'ai.onnx'}', which has no "
                f"lowering; possible are the operators in docs/onnx.md and functions made of them."
            )
        return self._call(function, proto, values, opsets)

    def _call(self, function: onnx.FunctionProto, proto, values: list[Value | None], opsets) -> list[Value]:
        env = dict(zip(function.input, values, strict=False))
        env |= {name: None for name in function.input[len(values) :]}
        own = {entry.domain: entry.version for entry in function.opset_import}
        self.run(body(function, proto), env, {**opsets, **own})
        return [env.get(name) for name in function.output]

    def _branch(self, proto, name: str, condition: Value, env, opsets) -> list[Value]:
        if condition.array is None:
            raise OnnxError(f"Node '{name}' (If) has a condition computed at run time; it must be a constant.")
        chosen = bound(proto, "then_branch" if condition.array.item() else "else_branch")
        inner = env | {one.name: Value(None, array=numpy_helper.to_array(one)) for one in chosen.initializer}
        self.run(chosen.node, inner, opsets)
        return [inner[port.name] for port in chosen.output]


