"""Element types of ONNX and how the machine holds them.

An integer type wider than the machine's, or unsigned, stands in the next signed type that holds its values; int64,
uint32 and uint64 stand in INT32, so their values must fit there. Arithmetic wraps as the ONNX type does up to 32 bits.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper

from sw.arch.dtype import DType
from sw.compiler.graph import GraphError


class OnnxError(GraphError):
    """A model that cannot be compiled; the text names the node, what was found and what is possible."""


@dataclass(frozen=True)
class Element:
    """One element type of ONNX.

    code : its number in TensorProto
    dtype : the machine's type that holds it
    mask : bits that an unsigned type keeps after arithmetic, 0 where nothing is to be done
    """

    code: int
    dtype: DType
    mask: int = 0

    @property
    def name(self) -> str:
        """As ONNX spells it, such as `FLOAT16`."""
        return TensorProto.DataType.Name(self.code)

    @property
    def numpy(self) -> np.dtype:
        """numpy's type."""
        return np.dtype(helper.tensor_dtype_to_np_dtype(self.code))

    @property
    def is_float(self) -> bool:
        """Whether elements are floats."""
        return self.dtype.is_float

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest value of an integer that the machine holds."""
        info = np.iinfo(self.numpy)
        return max(info.min, self.dtype.least), min(info.max, self.dtype.greatest)

    def encode(self, array: np.ndarray, name: str = "") -> np.ndarray:
        """The machine's values from numpy's; OnnxError where one does not fit."""
        if self is BOOL:
            return -array.astype(np.int8)
        if not self.is_float and array.size and not self.limits[0] <= array.min() <= array.max() <= self.limits[1]:
            raise OnnxError(
                f"The {self.name} tensor '{name}' has values from {array.min()} to {array.max()}, "
                f"the machine holds {self.limits[0]} to {self.limits[1]}."
            )
        return array.astype(self.dtype.numpy)

    def decode(self, array: np.ndarray) -> np.ndarray:
        """numpy's values from the machine's."""
        return np.asarray(array & 1 if self is BOOL else array).astype(self.numpy)


_ELEMENTS = (
    Element(TensorProto.FLOAT, DType.FP32),
    Element(TensorProto.FLOAT16, DType.FP16),
    Element(TensorProto.INT8, DType.INT8),
    Element(TensorProto.INT16, DType.INT16),
    Element(TensorProto.INT32, DType.INT32),
    Element(TensorProto.INT64, DType.INT32),
    Element(TensorProto.UINT8, DType.INT16, 0xFF),
    Element(TensorProto.UINT16, DType.INT32, 0xFFFF),
    Element(TensorProto.UINT32, DType.INT32),
    Element(TensorProto.UINT64, DType.INT32),
    Element(TensorProto.BOOL, DType.INT8),
)
ELEMENTS = {element.code: element for element in _ELEMENTS}
FLOAT, FLOAT16, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, BOOL = _ELEMENTS


def element(code: int | None, where: str) -> Element:
    """The element type of this number; OnnxError if the machine has none for it."""
    if code not in ELEMENTS:
        known = ", ".join(one.name for one in _ELEMENTS)
        named = code in TensorProto.DataType.values()
        raise OnnxError(f"{where} is of type {TensorProto.DataType.Name(code) if named else code}; possible are {known}.")
    return ELEMENTS[code]


def element_of(array: np.ndarray, where: str) -> Element:
    """The element type of a numpy array; OnnxError if the machine has none for it."""
    return element(helper.np_dtype_to_tensor_dtype(array.dtype), where)
