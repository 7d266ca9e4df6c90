"""What one VXM lane can compute: the operations, the types that each takes, and its pipeline class."""

import enum

from sw.arch.dtype import DType

_INTEGERS = frozenset((DType.INT8, DType.INT16, DType.INT32))
_NUMBERS = _INTEGERS | {DType.FP32}
_FP32 = frozenset((DType.FP32,))
_ALL = frozenset(DType)


class OpClass(enum.IntEnum):
    """Pipeline that an operation runs in; all operations of a class take equally long."""

    SIMPLE = 0
    FLOAT = 1
    SPECIAL = 2


class Op(enum.IntEnum):
    """One lane operation; the value is its code in instruction words.

    `_SAT` saturates to the range of the type, the plain form is modulo 2^bits. Shift counts are modulo the
    width. A compare gives 0 or all ones; fp32 compares with NaN are false except NE. SELECT gives a where its
    mask is not zero, else b. CONVERT rounds to nearest even and saturates to integers; NaN becomes integer 0.
    """

    MOVE = 0
    ADD = 1
    ADD_SAT = 2
    SUB = 3
    SUB_SAT = 4
    MUL = 5
    MUL_SAT = 6
    MIN = 7
    MAX = 8
    ABS = 9
    ABS_SAT = 10
    NEG = 11
    NEG_SAT = 12
    RELU = 13
    SHL = 14
    SHR = 15
    SAR = 16
    AND = 17
    OR = 18
    XOR = 19
    NOT = 20
    EQ = 21
    NE = 22
    LT = 23
    LE = 24
    GT = 25
    GE = 26
    SELECT = 27
    CONVERT = 28
    EXP2 = 29
    LOG2 = 30
    RSQRT = 31
    RECIP = 32
    TANH = 33

    @property
    def text(self) -> str:
        """Name in assembly text, such as `add_sat`."""
        return self.name.lower()

    @property
    def is_special(self) -> bool:
        """Whether it is one of the table-driven functions of fp32."""
        return self >= Op.EXP2

    @property
    def operands(self) -> int:
        """How many value operands it takes (the mask of SELECT not counted)."""
        unary = self.is_special or self in _UNARY
        return 1 if unary else 2

    @property
    def types(self) -> frozenset[DType]:
        """Element types that it takes."""
        if self in (Op.MOVE, Op.SELECT, Op.CONVERT):
            return _ALL
        if self.is_special:
            return _FP32
        if self in _INTEGER_ONLY:
            return _INTEGERS
        return _NUMBERS

    def pipeline(self, dtype: DType) -> OpClass:
        """Class of this operation on `dtype`; ValueError if it does not take the type."""
        if dtype not in self.types:
            known = ", ".join(d.text for d in sorted(self.types))
            raise ValueError(f"{self.text} does not take {dtype.text}; it takes {known}")
        if self.is_special:
            return OpClass.SPECIAL
        if self in (Op.MUL, Op.MUL_SAT, Op.CONVERT) or (self in (Op.ADD, Op.SUB) and dtype is DType.FP32):
            return OpClass.FLOAT
        return OpClass.SIMPLE


_UNARY = frozenset((Op.MOVE, Op.ABS, Op.ABS_SAT, Op.NEG, Op.NEG_SAT, Op.RELU, Op.NOT, Op.CONVERT))
_INTEGER_ONLY = frozenset((Op.ADD_SAT, Op.SUB_SAT, Op.MUL_SAT, Op.ABS_SAT, Op.NEG_SAT,
                           Op.SHL, Op.SHR, Op.SAR, Op.AND, Op.OR, Op.XOR, Op.NOT))
