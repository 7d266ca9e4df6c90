"""Rows of the vector unit."""

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.isa.fields import SOURCES
from sw.isa.spec import Instr, Timing, Values
from sw.isa.stages import FLOAT_STAGES, SIMPLE_STAGES, SPECIAL_STAGES, latch

#: Where an operand comes from: codes of the fields a_from and b_from.
STREAM, PREV, NEXT, IMM = range(len(SOURCES))

_INTEGERS = (DType.INT8, DType.INT16, DType.INT32)
_NUMBERS = (*_INTEGERS, DType.FP32)

#: Name, operands, types, meaning. The code is the place in this list, from 1: a new operation goes to the end.
_ALU_ROWS = (
    ("MOV", 1, tuple(DType), "a"),
    ("ADD", 2, _NUMBERS, "a + b"),
    ("SUB", 2, _NUMBERS, "a - b"),
    ("MUL", 2, _NUMBERS, "a * b"),
    ("MIN", 2, _NUMBERS, "the smaller of a and b; NaN wins, -0 < +0"),
    ("MAX", 2, _NUMBERS, "the larger of a and b; NaN wins, -0 < +0"),
    ("ABS", 1, _NUMBERS, "magnitude of a"),
    ("NEG", 1, _NUMBERS, "-a"),
    ("SHL", 2, _INTEGERS, "a shifted left by b modulo the width"),
    ("SHR", 2, _INTEGERS, "a shifted right by b modulo the width, zeros enter"),
    ("SAR", 2, _INTEGERS, "a shifted right by b modulo the width, the sign enters"),
    ("AND", 2, _INTEGERS, "a & b"),
    ("OR", 2, _INTEGERS, "a | b"),
    ("XOR", 2, _INTEGERS, "a ^ b"),
    ("NOT", 1, _INTEGERS, "~a"),
    ("EQ", 2, _NUMBERS, "all ones where a = b, else 0"),
    ("NE", 2, _NUMBERS, "all ones where a != b, else 0"),
    ("LT", 2, _NUMBERS, "all ones where a < b, else 0"),
    ("LE", 2, _NUMBERS, "all ones where a <= b, else 0"),
    ("GT", 2, _NUMBERS, "all ones where a > b, else 0"),
    ("GE", 2, _NUMBERS, "all ones where a >= b, else 0"),
    ("MASK", 2, tuple(DType), "a & b, bit by bit, whatever the type"),
    ("SELECT", 2, tuple(DType), "a where the mask from the chain has bit 0 set, else b"),
    ("RELU", 1, _NUMBERS, "max(a, 0); NaN stays NaN, -0 gives +0"),
    ("CONVERT", 1, tuple(DType), "a as type `to`: nearest even, saturating to integers"),
    ("EXP2", 1, (DType.FP32,), "2 to the power a"),
    ("LOG2", 1, (DType.FP32,), "logarithm of a to base 2"),
    ("RSQRT", 1, (DType.FP32,), "1 / square root of a"),
    ("RECIP", 1, (DType.FP32,), "1 / a"),
    ("TANH", 1, (DType.FP32,), "hyperbolic tangent of a"),
)
#: Operations of the special pipeline.
SPECIAL = ("EXP2", "LOG2", "RSQRT", "RECIP", "TANH")
#: Operations whose words say whether integers saturate.
WITH_OVERFLOW = ("ADD", "SUB", "MUL", "ABS", "NEG")
#: Instruction name to the types that it works on.
ALU_TYPES = {name: types for name, _, types, _ in _ALU_ROWS}

#: Execution stages of each class of operations.
STAGES = {"simple": SIMPLE_STAGES, "float": FLOAT_STAGES, "special": SPECIAL_STAGES}


def alu_class(name: str, dtype: int) -> str:
    """Pipeline that runs an operation: `simple`, `float` or `special`."""
    if name in SPECIAL:
        return "special"
    if name in ("MUL", "CONVERT") or (name in ("ADD", "SUB") and dtype == DType.FP32):
        return "float"
    return "simple"


def _alu(name: str, operands: int, types, doc: str, code: int) -> Instr:
    sources = ("a_from", "b_from")[:operands]

    def timing(c: Config, v: Values) -> Timing:
        ready = latch(c) + STAGES[alu_class(name, v["dtype"])]
        return Timing(d_skew=0, chain_skew=latch(c), d_chain=ready, d_func=ready + 1)

    def reads(c: Config, v: Values):
        return tuple((v[source[0]], DType(v["dtype"]).streams) for source in sources if v[source] == STREAM)

    def drives(c: Config, v: Values):
        result = v["to"] if name == "CONVERT" else v["dtype"]
        return ((v["dst"], DType(result).streams),) if v["out"] else ()

    def refuse(c: Config, v: Values) -> str | None:
        if v["dtype"] not in types:
            return f"{name} does not work on {DType(v['dtype']).text}; it takes {', '.join(t.text for t in types)}"
        if operands == 2 and v["a_from"] == v["b_from"] == IMM:
            return "both operands are immediates, a word holds one"
        return None

    fields = ["dtype"]
    fields += ["to"] if name == "CONVERT" else []
    fields += ["overflow"] if name in WITH_OVERFLOW else []
    for letter in "ab"[:operands]:
        fields += [f"{letter}_from", letter]
    fields += ["m_from"] if name == "SELECT" else []
    return Instr(
        name=name,
        cls="VXM",
        slot="alu",
        code=code,
        fields=(*fields, "imm", "out", "dst"),
        doc=doc,
        timing=timing,
        reads=reads,
        drives=drives,
        refuse=refuse,
    )


VXM = tuple(_alu(*row, code) for code, row in enumerate(_ALU_ROWS, 1))


def reachable_groups(c: Config, alu: int) -> tuple[int, ...]:
    """SG4 groups that an ALU's row can read and drive, both ways: 2*row … 2*row + 3 modulo the number of groups."""
    groups = c.streams // 4
    row = alu // c.vxm.ranks
    return tuple(sorted({(2 * row + k) % groups for k in range(4)}))
