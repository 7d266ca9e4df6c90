"""What a lowering sees of one ONNX node, and the values that flow between nodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sw.compiler.graph import Graph, Tensor
from sw.compiler.onnx.types import BOOL, FLOAT, INT32, Element, OnnxError, element_of


class NeedsValue(OnnxError):
    """An operand that shapes depend on comes from inputs of the model: `inputs` must be known to compile."""

    def __init__(self, text: str, inputs: frozenset[str]):
        super().__init__(text)
        self.inputs = inputs


@dataclass(frozen=True)
class Value:
    """One value of a model: a tensor of the graph, or an array that is known now.

    element : the ONNX type
    tensor, array : one of both is None; a tensor holds the element as the machine does, an array as numpy does
    """

    element: Element | None
    tensor: Tensor | None = None
    array: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.array.shape if self.tensor is None else self.tensor.shape


class Node:
    """One node on its way into a graph.

    op, name : operator and what messages call the node
    version : operator-set version in which the operator got its present form
    inputs : its values, None for an optional one that is not given
    outputs : number of outputs, of which trailing ones may be unused
    product : dense product of FP32 operands
    """

    def __init__(self, graph: Graph, op: str, name: str, version: int, inputs: Sequence[Value | None],
                 attributes: dict, outputs: int, product: Callable[[Tensor, Tensor], Tensor]):  # fmt: skip
        self.graph, self.op, self.name, self.version = graph, op, name, version
        self.inputs, self.attributes, self.outputs, self.product = list(inputs), attributes, outputs, product

    def error(self, text: str) -> OnnxError:
        """An error that names this node; `text` goes on from 'Node X (Op)'."""
        return OnnxError(f"Node '{self.name}' ({self.op}) {text}")

    def has(self, place: int) -> bool:
        """Whether this input is given."""
        return place < len(self.inputs) and self.inputs[place] is not None

    def get(self, name: str, default=None):
        """An attribute."""
        return self.attributes.get(name, default)

    def shape(self, place: int = 0) -> tuple[int, ...]:
        """Shape of an input."""
        return self.inputs[place].shape

    def rank(self, place: int = 0) -> int:
        """Number of axes of an input."""
        return len(self.shape(place))

    def element(self, place: int = 0) -> Element:
        """Type of an input; OnnxError if the machine has none for it."""
        value = self.inputs[place]
        return value.element or element_of(value.array, f"Node '{self.name}' ({self.op}): its input {place}")

    def axis(self, default: int = -1, place: int = 0) -> int:
        """The attribute `axis`, from 0 up."""
        return self.axis_of(self.get("axis", default), self.rank(place))

    def axis_of(self, axis: int, rank: int) -> int:
        """An axis counted from 0 up; OnnxError if there is none."""
        if not -rank <= axis < rank:
            raise self.error(f"is over axis {axis} of {rank}.")
        return axis % rank

    def tensor(self, place: int = 0) -> Tensor:
        """An input in the machine's type."""
        value = self.inputs[place]
        if value.tensor is not None:
            return value.tensor
        element = self.element(place)
        return self.graph.constant(element.encode(value.array, f"input {place} of {self.name}"), element.dtype)

    def real(self, place: int = 0) -> Tensor:
        """An input as FP32; truth values become 0 and 1."""
        return self.convert(self.tensor(place), self.element(place), FLOAT)

    def whole(self, place: int = 0) -> Tensor:
        """An integer input as INT32; truth values become 0 and 1."""
        return self.convert(self.tensor(place), self.element(place), INT32)

    def is_known(self, place: int) -> bool:
        """Whether the value of an input is known now."""
        return self.inputs[place].tensor is None

    def known(self, place: int, default=None) -> np.ndarray:
        """The value of an input that shapes or the program depend on; `default` if it is not given."""
        if not self.has(place):
            return default
        value = self.inputs[place]
        if value.tensor is None:
            return value.array
        raise self.unknown(place)

    def unknown(self, place: int) -> NeedsValue:
        """The error that an input must be known."""
        origins = _origins(self.inputs[place].tensor)
        inputs = ", ".join(sorted(origins))
        return NeedsValue(
            f"Node '{self.name}' ({self.op}) has input {place} computed at run time; "
            f"it must be a constant, or the value of {inputs} be given to the import.", origins)  # fmt: skip

    def integers(self, place: int, default=None) -> list[int] | None:
        """`known` as a list of integers."""
        array = self.known(place)
        return default if array is None else [int(number) for number in np.asarray(array).reshape(-1)]

    def convert(self, tensor: Tensor, source: Element, to: Element) -> Tensor:
        """A tensor that holds `source` as it holds `to`: floats become integers by nearest, saturating."""
        if source is to:
            return tensor
        if source is BOOL:
            ones = self.graph.elementwise("AND", tensor, 1)
            return ones.to(to.dtype)
        if to is BOOL:
            return self.graph.elementwise("NE", tensor.to("fp32") if tensor.dtype.is_float else tensor, 0)
        return tensor.to(to.dtype)

    def keep(self, tensor: Tensor, element: Element | None = None) -> Value:
        """A result that is held already as `element` (by default the type of input 0) is."""
        return Value(element or self.element(0), tensor)

    def give(self, tensor: Tensor, element: Element | None = None) -> Value:
        """A result: `tensor`, of any machine type, as `element` (by default the type of input 0) is held."""
        element = element or self.element(0)
        if element.mask and not tensor.dtype.is_float:
            tensor = self.graph.elementwise("AND", tensor, element.mask)
        return self.keep(tensor.to(element.dtype), element)


def _origins(tensor: Tensor) -> frozenset[str]:
    """Names of the graph's inputs that a tensor is made from."""
    found, pending, seen = set(), [tensor], set()
    while pending:
        one = pending.pop()
        if one in seen:
            continue
        seen.add(one)
        if one.op == "input":
            found.add(one.name)
        pending += one.operands
    return frozenset(found)
