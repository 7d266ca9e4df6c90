"""The element types of Takt: one row each, read by table, golden model, checker and hardware."""

import enum

import numpy as np


class DType(enum.IntEnum):
    """Element type; the value is its code in instruction words.

    Elements are handled as bit patterns. In a 32-bit lane a narrower integer is sign-extended and an fp16
    zero-extended; on streams an element takes `streams` bytes, low byte on the lowest stream.
    """

    INT8 = 0
    INT16 = 1
    INT32 = 2
    FP16 = 3
    FP32 = 4

    @property
    def text(self) -> str:
        """Name in assembly text, such as `fp16`."""
        return self.name.lower()

    @property
    def bits(self) -> int:
        """Width of one element in bits."""
        return (8, 16, 32, 16, 32)[self]

    @property
    def streams(self) -> int:
        """Streams, and so bytes, that one element takes."""
        return self.bits // 8

    @property
    def is_float(self) -> bool:
        """Whether elements are IEEE 754 numbers."""
        return self >= DType.FP16

    @property
    def mask(self) -> int:
        """All bits of one element set."""
        return (1 << self.bits) - 1

    @property
    def least(self) -> int:
        """Least integer of the type; ValueError for a float."""
        self._require_integer()
        return -(1 << (self.bits - 1))

    @property
    def greatest(self) -> int:
        """Greatest integer of the type; ValueError for a float."""
        self._require_integer()
        return (1 << (self.bits - 1)) - 1

    @property
    def exponent_bits(self) -> int:
        """Width of the exponent field; ValueError for an integer."""
        self._require_float()
        return 5 if self is DType.FP16 else 8

    @property
    def fraction_bits(self) -> int:
        """Width of the fraction field; ValueError for an integer."""
        self._require_float()
        return 10 if self is DType.FP16 else 23

    @property
    def nan(self) -> int:
        """Bit pattern of the one NaN that operations produce; ValueError for an integer."""
        self._require_float()
        return 0x7E00 if self is DType.FP16 else 0x7FC00000

    @property
    def infinity(self) -> int:
        """Bit pattern of +infinity; ValueError for an integer."""
        self._require_float()
        return 0x7C00 if self is DType.FP16 else 0x7F800000

    @property
    def numpy(self) -> np.dtype:
        """numpy's type of the same meaning."""
        return np.dtype((np.int8, np.int16, np.int32, np.float16, np.float32)[self])

    @classmethod
    def parse(cls, text: str) -> "DType":
        """The type that `text` names in assembly; ValueError with the known names otherwise."""
        for dtype in cls:
            if dtype.text == text:
                return dtype
        raise ValueError(f"type '{text}' is unknown; known are {', '.join(d.text for d in cls)}")

    def _require_integer(self):
        if self.is_float:
            raise ValueError(f"{self.text} is a float and has no integer range")

    def _require_float(self):
        if not self.is_float:
            raise ValueError(f"{self.text} is an integer and has no float fields")
