"""The instruction table: one row per instruction, and the only place where a latency is written.

Assembler, checker, golden model, compiler, hardware and manual all read these rows. `d_skew`, `d_func` and the other
constants of a row are functions of the configuration; `docs/timing.md` works through what they mean.
"""

from functools import cache

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.isa.fields import KINDS, SOURCES
from sw.isa.spec import Instr, Timing, Values

#: Execution stages of the three classes of vector operations.
SIMPLE_STAGES = 1
FLOAT_STAGES = 4
SPECIAL_STAGES = 7

ISSUE = Timing()
STREAM, PREV, NEXT, IMM = range(len(SOURCES))


def latch(c: Config) -> int:
    """Cycles from operands at the stop to corrected operands in a register."""
    return 1 + c.ecc.streams


# -- instruction control ------------------------------------------------------------------------------------------


def fetch_beats(c: Config) -> int:
    """Consecutive cycles over which one IFETCH takes its stream pair: enough for whole 16-byte words."""
    return max(1, 16 // (2 * c.vl))


def fetch_words(c: Config) -> int:
    """Words that one IFETCH brings."""
    return 2 * c.vl * fetch_beats(c) // 16


def _ifetch(c: Config, v: Values) -> Timing:
    """North with the stagger and south again; a superlane's words are written one a cycle, then one is read."""
    trip = 2 * (c.superlanes - 1)
    writes = max(1, 2 * c.lanes // 16)
    return Timing(d_skew=0, d_func=latch(c) + trip + fetch_beats(c) - 1 + writes + 2, turn=2 * c.superlanes)


def _notify(c: Config, v: Values) -> Timing:
    return Timing(d_func=len(floorplan(c).stops) + 6)


def _icu(name: str, fields: tuple[str, ...], doc: str, timing=lambda c, v: ISSUE, **more) -> Instr:
    return Instr(
        name=name,
        cls="ICU",
        slot="icu",
        code=KINDS.index(name),
        fields=fields,
        doc=doc,
        timing=timing,
        repeatable=name in ("NOTIFY", "CONFIG"),
        **more,
    )


def _pair(name: str):
    return lambda c, v: ((v[name], 2),)


def _at_least(low: int, *names: str):
    def refuse(c: Config, v: Values) -> str | None:
        for name in names:
            if v[name] < low:
                return f"{name} is {v[name]}, it must be at least {low}"
        return None

    return refuse


ICU = (
    _icu("HALT", (), "Ends the queue; when every queue has halted the iteration ends."),
    _icu("NOP", ("n",), "Issues nothing for exactly n cycles.", refuse=_at_least(1, "n")),
    _icu(
        "REPEAT",
        ("n", "gap"),
        "Issues the word before it n more times, copy k at k*gap cycles after it, advancing its strides; takes no cycle.",
        refuse=_at_least(1, "n", "gap"),
    ),
    _icu("IFETCH", ("stream",), "Appends program text from a stream pair to this queue.", _ifetch, reads=_pair("stream")),
    _icu("SYNC", (), "Parks the queue until a NOTIFY lands."),
    _icu("NOTIFY", (), "Releases every queue that is parked when it lands, d_func cycles after issue.", _notify),
    _icu("CONFIG", ("mask",), "Powers the superlanes whose mask bit is 1 for the words of this queue that follow."),
)

# -- MEM ----------------------------------------------------------------------------------------------------------


def _gather_access(c: Config) -> int:
    return latch(c)


def _region(c: Config, v: Values) -> str | None:
    first, last = v["addr"], v["addr"] + v["rows"] - 1
    if v["rows"] < 1:
        return "rows is 0, a region has at least 1 word"
    if last >= c.mem.words or first // c.bank_words != last // c.bank_words:
        return f"the region {first} … {last} leaves its bank of {c.bank_words} words"
    return None


def _mem(name: str, slot: str, code: int, fields: tuple[str, ...], doc: str, timing, **more) -> Instr:
    return Instr(
        name=name,
        cls="MEM",
        slot=slot,
        code=code,
        fields=(*fields, "stride"),
        doc=doc,
        timing=timing,
        strides=(("addr", "stride"),),
        **more,
    )


MEM = (
    _mem(
        "READ",
        "read",
        1,
        ("addr", "stream"),
        "stream <- mem[addr]",
        lambda c, v: Timing(d_func=2, access=0),
        drives=lambda c, v: ((v["stream"], 1),),
    ),
    _mem(
        "GATHER",
        "read",
        2,
        ("addr", "rows", "stream", "map"),
        "stream <- mem[addr + map], superlane by superlane; offset 0xFFFF reads zero, another offset >= rows is a fault.",
        lambda c, v: Timing(d_skew=0, d_func=_gather_access(c) + 2, access=_gather_access(c)),
        reads=_pair("map"),
        drives=lambda c, v: ((v["stream"], 1),),
        refuse=_region,
    ),
    _mem(
        "WRITE",
        "write",
        1,
        ("addr", "stream"),
        "mem[addr] <- stream",
        lambda c, v: Timing(d_skew=0, access=0),
        reads=lambda c, v: ((v["stream"], 1),),
    ),
    _mem(
        "SCATTER",
        "write",
        2,
        ("addr", "rows", "stream", "map"),
        "mem[addr + map] <- stream, superlane by superlane; offset 0xFFFF writes nothing, another offset >= rows is a fault.",
        lambda c, v: Timing(d_skew=0, access=_gather_access(c)),
        reads=lambda c, v: ((v["stream"], 1), (v["map"], 2)),
        refuse=_region,
    ),
)

# -- VXM ----------------------------------------------------------------------------------------------------------

INTEGERS = (DType.INT8, DType.INT16, DType.INT32)
NUMBERS = (*INTEGERS, DType.FP32)

#: name, operands, types, stages by type, doc
_ALU_ROWS = (
    ("MOV", 1, tuple(DType), "a"),
    ("ADD", 2, NUMBERS, "a + b"),
    ("SUB", 2, NUMBERS, "a - b"),
    ("MUL", 2, NUMBERS, "a * b"),
    ("MIN", 2, NUMBERS, "the smaller of a and b; NaN wins, -0 < +0"),
    ("MAX", 2, NUMBERS, "the larger of a and b; NaN wins, -0 < +0"),
    ("ABS", 1, NUMBERS, "magnitude of a"),
    ("NEG", 1, NUMBERS, "-a"),
    ("SHL", 2, INTEGERS, "a shifted left by b modulo the width"),
    ("SHR", 2, INTEGERS, "a shifted right by b modulo the width, zeros enter"),
    ("SAR", 2, INTEGERS, "a shifted right by b modulo the width, the sign enters"),
    ("AND", 2, INTEGERS, "a & b"),
    ("OR", 2, INTEGERS, "a | b"),
    ("XOR", 2, INTEGERS, "a ^ b"),
    ("NOT", 1, INTEGERS, "~a"),
    ("EQ", 2, NUMBERS, "all ones where a = b, else 0"),
    ("NE", 2, NUMBERS, "all ones where a != b, else 0"),
    ("LT", 2, NUMBERS, "all ones where a < b, else 0"),
    ("LE", 2, NUMBERS, "all ones where a <= b, else 0"),
    ("GT", 2, NUMBERS, "all ones where a > b, else 0"),
    ("GE", 2, NUMBERS, "all ones where a >= b, else 0"),
    ("MASK", 2, tuple(DType), "a & b, bit by bit, whatever the type"),
    ("SELECT", 2, tuple(DType), "a where the mask from the chain has bit 0 set, else b"),
    ("RELU", 1, NUMBERS, "max(a, 0); NaN stays NaN, -0 gives +0"),
    ("CONVERT", 1, tuple(DType), "a as type `to`: nearest even, saturating to integers"),
    ("EXP2", 1, (DType.FP32,), "2 to the power a"),
    ("LOG2", 1, (DType.FP32,), "logarithm of a to base 2"),
    ("RSQRT", 1, (DType.FP32,), "1 / square root of a"),
    ("RECIP", 1, (DType.FP32,), "1 / a"),
    ("TANH", 1, (DType.FP32,), "hyperbolic tangent of a"),
)
SPECIAL = ("EXP2", "LOG2", "RSQRT", "RECIP", "TANH")
WITH_OVERFLOW = ("ADD", "SUB", "MUL", "ABS", "NEG")
ALU_TYPES = {name: types for name, _, types, _ in _ALU_ROWS}


def alu_class(name: str, dtype: int) -> str:
    """Pipeline that runs an operation: `simple`, `float` or `special`."""
    if name in SPECIAL:
        return "special"
    if name in ("MUL", "CONVERT") or (name in ("ADD", "SUB") and dtype == DType.FP32):
        return "float"
    return "simple"


STAGES = {"simple": SIMPLE_STAGES, "float": FLOAT_STAGES, "special": SPECIAL_STAGES}


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


# -- MXM ----------------------------------------------------------------------------------------------------------

FP16 = 1


def pass_interval(c: Config, v: Values) -> int:
    """Cycles that one pass occupies the array."""
    return c.mxm.fp16_interval if v["dtype"] == FP16 else 1


def _abc(c: Config, v: Values) -> Timing:
    # int8: multiply and sum. fp16: multiply, sum; then, north of the chain, sum of the phases, magnitude, two
    # stages of rounding.
    sums = 6 if v["dtype"] == FP16 else 1
    interval = pass_interval(c, v)
    return Timing(d_skew=0, d_func=latch(c) + sums + interval - 1 + 1 + c.superlanes - 1, turn=interval)


def acc_stages(c: Config) -> int:
    """Cycles in which ACC adds; one constant for all types and modes, so that no two results meet on the way out."""
    return FLOAT_STAGES if "fp16" in c.mxm.types else SIMPLE_STAGES


def _acc(c: Config, v: Values) -> Timing:
    written = 1 + c.ecc.accumulators + acc_stages(c)
    return Timing(d_skew=0, d_func=written + 1, turn=written + 1)


def _load_streams(v: Values) -> int:
    return 1 << v["n"]


def _typed(c: Config, v: Values) -> str | None:
    kind = ("int8", "fp16")[v["dtype"]]
    if kind not in c.mxm.types:
        return f"{kind} planes are not built, mxm.types is {', '.join(c.mxm.types)}"
    return None


def load_columns(v: Values) -> int:
    """Columns that one LW brings."""
    return _load_streams(v) >> v["dtype"]


def _load(c: Config, v: Values) -> str | None:
    streams, columns = _load_streams(v), load_columns(v)
    if streams > min(16, c.vl, c.streams):
        return f"n is {streams}, it must be at most {min(16, c.vl, c.streams)}"
    if columns < 1:
        return "n is 1, an fp16 column takes 2 streams"
    if columns > c.lanes:
        return f"n brings {columns} columns, at most {c.lanes} stand in one superlane"
    if v["col"] % columns:
        return f"col is {v['col']}, it must be a multiple of the {columns} columns that n brings"
    if v["col"] + columns > c.vl:
        return f"col is {v['col']}, the last column is {c.vl - 1}"
    return _typed(c, v)


MXM = (
    Instr(
        name="LW",
        cls="MXM_W",
        slot="load",
        code=1,
        fields=("dtype", "stream", "n", "col", "stride"),
        doc="Weight buffer columns col … <- streams; lane k holds row k.",
        timing=lambda c, v: Timing(d_skew=0, d_func=latch(c) + 1),
        reads=lambda c, v: ((v["stream"], _load_streams(v)),),
        strides=(("col", "stride"),),
        refuse=_load,
    ),
    Instr(
        name="IW",
        cls="MXM_W",
        slot="install",
        code=1,
        fields=(),
        doc="Array <- weight buffer, with what LW brings in the same word; in force for passes issued d_func later.",
        timing=lambda c, v: Timing(d_func=2),
    ),
    Instr(
        name="ABC",
        cls="MXM_A",
        slot="pass",
        code=1,
        fields=("dtype", "stream"),
        doc="Starts one pass with the activations on stream; its sums stand at ACC d_func later.",
        timing=_abc,
        reads=lambda c, v: ((v["stream"], 1 + v["dtype"]),),
        refuse=_typed,
    ),
    Instr(
        name="ABC_HOLD",
        cls="MXM_A",
        slot="pass",
        code=2,
        fields=("dtype",),
        doc="Starts one pass with the activations of the pass before.",
        timing=lambda c, v: Timing(d_func=_abc(c, v).d_func, turn=_abc(c, v).turn),
        refuse=_typed,
    ),
    Instr(
        name="ACC",
        cls="MXM_R",
        slot="acc",
        code=1,
        fields=("dtype", "mode", "row", "dst", "stride"),
        doc="Meets the pass p that stands at ACC: PASS out = p; SET acc[row] = p; ADD acc[row] += p; "
        "ADD_OUT out = acc[row] + p; READ out = acc[row].",
        timing=_acc,
        drives=lambda c, v: () if v["mode"] in (1, 2) else ((v["dst"], 4),),
        strides=(("row", "stride"),),
        refuse=_typed,
    ),
)

# -- SXM ----------------------------------------------------------------------------------------------------------


def _levels(count: int) -> int:
    return (count - 1).bit_length()


def _engine(name: str, engine: str, code: int, fields: tuple[str, ...], doc: str, timing, **more) -> Instr:
    return Instr(
        name=name,
        cls=f"SXM_{engine.upper()}",
        slot=engine,
        code=code,
        fields=fields,
        doc=doc,
        timing=timing,
        **more,
    )


def _moved(extra=lambda c: 0):
    return lambda c, v: Timing(d_skew=0, d_func=latch(c) + 2 + extra(c))


def _one(*names: str):
    return lambda c, v: tuple((v[name], 1) for name in names)


def _reduce_cycles(c: Config) -> int:
    return (_levels(c.lanes) + _levels(c.superlanes)) * FLOAT_STAGES + c.superlanes - 1


def _shift_range(c: Config, v: Values) -> str | None:
    return f"n is {v['n']}, it must be at most {c.lanes}" if v["n"] > c.lanes else None


SXM = (
    _engine(
        "SHIFT",
        "shift",
        1,
        ("mode", "n", "src", "dst"),
        "dst <- src moved n lanes NORTH (to higher lanes) or SOUTH, zeros enter; SELECT chooses in each lane by the map: "
        "0 unshifted, 1 north, 2 south, else zero.",
        _moved(lambda c: 1),
        reads=_one("src"),
        drives=_one("dst"),
        refuse=_shift_range,
    ),
    _engine(
        "SELECT_MAP",
        "shift",
        2,
        ("src",),
        "Loads the select map of this engine, one byte a lane, for words issued after it.",
        lambda c, v: Timing(d_skew=0, d_func=1),
        reads=_one("src"),
    ),
    _engine(
        "PERMUTE",
        "permute",
        1,
        ("src", "dst"),
        "dst[i] <- src[map[i]] over all lanes; an index >= VL gives 0.",
        _moved(lambda c: c.superlanes - 1),
        reads=_one("src"),
        drives=_one("dst"),
    ),
    _engine(
        "MAP",
        "permute",
        2,
        ("src",),
        "Loads the permute map from an SG2, one 16-bit index a lane, for words issued after it.",
        lambda c, v: Timing(d_skew=0, d_func=1),
        reads=_pair("src"),
    ),
    _engine(
        "DISTRIBUTE",
        "distribute",
        1,
        ("src", "map", "dst"),
        "Within each superlane dst[i] <- src[map[i]]; an index >= lanes gives 0.",
        _moved(),
        reads=_one("src", "map"),
        drives=_one("dst"),
    ),
    _engine(
        "ROTATE",
        "rotate",
        1,
        ("n", "src", "dst"),
        "For each of n streams i and each rotation j, stream dst + n*i + j <- stream src + i with every whole group of n "
        "lanes of a superlane rotated south by j; lanes beyond the last whole group give 0.",
        _moved(),
        reads=lambda c, v: ((v["src"], 3 + v["n"]),),
        drives=lambda c, v: ((v["dst"], (3 + v["n"]) ** 2),),
    ),
    _engine(
        "TRANSPOSE",
        "transpose",
        1,
        ("src", "dst"),
        "Within each superlane lane j of stream dst + i <- lane i of stream src + j, for all `lanes` streams at once.",
        _moved(),
        reads=lambda c, v: ((v["src"], c.lanes),),
        drives=lambda c, v: ((v["dst"], c.lanes),),
    ),
    _engine(
        "REDUCE",
        "reduce",
        1,
        ("fn", "dtype", "src", "dst"),
        "Every lane of dst <- fn over all lanes of src, by a binary tree: pairs of neighbours, lane 0 first, an odd one "
        "out passes up; first within superlanes, then over superlanes.",
        _moved(_reduce_cycles),
        reads=lambda c, v: ((v["src"], 4),),
        drives=lambda c, v: ((v["dst"], 4),),
    ),
)

# -- C2C: places kept ---------------------------------------------------------------------------------------------


def _link(name: str, cls: str, slot: str, code: int, fields: tuple[str, ...], doc: str) -> Instr:
    return Instr(
        name=name, cls=cls, slot=slot, code=code, fields=fields, doc=doc, timing=lambda c, v: ISSUE, reserved=True
    )


C2C = (
    _link("SEND", "C2C_SEND", "send", 1, ("link", "stream"), "Sends the vector on stream over a link."),
    _link("FORWARD", "C2C_SEND", "send", 2, ("link", "out"), "Passes a frame from one link to another."),
    _link("DESKEW", "C2C_SEND", "send", 3, ("link",), "Waits for the next overflow of the aligned counter."),
    _link("TRANSMIT", "C2C_SEND", "send", 4, ("link",), "Sends a synchronisation vector."),
    _link("RUNTIME_DESKEW", "C2C_SEND", "send", 5, ("t",), "Waits t cycles, corrected for drift."),
    _link("RECEIVE", "C2C_RECEIVE", "receive", 1, ("link", "stream"), "Drives a received vector on a stream."),
)

TABLE: tuple[Instr, ...] = (*ICU, *MEM, *VXM, *MXM, *SXM, *C2C)
_BY_NAME = {instr.name: instr for instr in TABLE}


def instruction(name: str) -> Instr:
    """The row with this name; KeyError in a sentence."""
    if name not in _BY_NAME:
        raise KeyError(f"There is no instruction '{name}'.")
    return _BY_NAME[name]


@cache
def rows(cls: str, slot: str) -> dict[int, Instr]:
    """Rows of one slot of a queue class, by code."""
    return {instr.code: instr for instr in TABLE if (instr.cls, instr.slot) == (cls, slot)}


@cache
def longest(c: Config) -> int:
    """The largest d_func of any instruction."""
    worst = []
    for instr in TABLE:
        for dtype in range(len(DType)):
            values = dict.fromkeys(instr.fields, 0) | {"dtype": dtype}
            worst.append(instr.timing(c, values).d_func or 0)
    return max(worst)


@cache
def restart_gap(c: Config) -> int:
    """Cycles from the end of one iteration to cycle 0 of the next: stagger, longest d_func, length of the floorplan."""
    return c.superlanes - 1 + longest(c) + len(floorplan(c).stops)


def run_cycles(c: Config, cycles: int, iterations: int) -> int:
    """Cycles of N iterations of T cycles each: N*T + (N-1)*restart_gap."""
    return iterations * cycles + (iterations - 1) * restart_gap(c)
