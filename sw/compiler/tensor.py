"""One value of a graph, and the types and numbers of the machine that values are made of."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sw.arch.dtype import DType

if TYPE_CHECKING:
    from sw.compiler.graph import Graph

#: Types by numpy's kind and bytes of an array.
_CONSTANTS = {
    "i1": DType.INT8, "i2": DType.INT16, "i4": DType.INT32, "b1": DType.INT8,
    "f2": DType.FP16, "f4": DType.FP32, "f8": DType.FP32,
}  # fmt: skip


class GraphError(ValueError):
    """A graph that cannot be; the text names the node, what was found and what is possible."""


@dataclass(eq=False, frozen=True)
class Tensor:
    """One value of a graph: what a primitive makes of its operands.

    op : the primitive, a method name of `Graph`
    shape, dtype : of the value
    operands : the tensors it is made from
    attributes : what else the primitive needs, see the methods of `Graph`
    name : for messages and reports
    chip : where it is, None for what is known now, which is everywhere
    """

    graph: "Graph"
    op: str
    shape: tuple[int, ...]
    dtype: DType
    operands: tuple["Tensor", ...] = ()
    attributes: dict = field(default_factory=dict)
    name: str = ""
    chip: int | None = 0

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def to(self, dtype: DType | str) -> "Tensor":
        """This value as another type: nearest even, saturating."""
        dtype = typed(dtype)
        return self if dtype is self.dtype else self.graph.elementwise("CONVERT", self, to=dtype)

    def __add__(self, other):
        return self.graph.elementwise("ADD", self, other)

    def __radd__(self, other):
        return self.graph.elementwise("ADD", other, self)

    def __sub__(self, other):
        return self.graph.elementwise("SUB", self, other)

    def __rsub__(self, other):
        return self.graph.elementwise("SUB", other, self)

    def __mul__(self, other):
        return self.graph.elementwise("MUL", self, other)

    def __rmul__(self, other):
        return self.graph.elementwise("MUL", other, self)

    def __neg__(self):
        return self.graph.elementwise("NEG", self)

    def __repr__(self) -> str:
        return f"{self.name or self.op} {self.dtype.text}{list(self.shape)}"


def held(values, dtype: DType | str | None) -> tuple[np.ndarray, DType]:
    """A copy of numbers as the machine holds them, and their type: by default that of the array, FP32 for float64."""
    array = np.asarray(values)
    if dtype is None:
        dtype = _CONSTANTS.get(array.dtype.kind + str(array.dtype.itemsize))
        if dtype is None:
            raise GraphError(f"A constant is of type {array.dtype}, give the machine's type that it shall have.")
    dtype = typed(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype.numpy, order="C"), dtype


def typed(dtype: DType | str) -> DType:
    """A type by itself or by its name; GraphError for a name that is none."""
    try:
        return DType.parse(dtype) if isinstance(dtype, str) else dtype
    except ValueError as error:
        raise GraphError(f"The {error}.") from error
