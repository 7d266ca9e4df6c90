"""Rows of the matrix planes: weights, activations and results."""

from dataclasses import replace

from sw.arch.config import Config
from sw.isa.fields import ACC_MODES, MXM_TYPES
from sw.isa.spec import Instr, Timing, Values
from sw.isa.stages import FLOAT_STAGES, SIMPLE_STAGES, latch

#: Code of fp16 in the field dtype of an MXM word.
FP16 = MXM_TYPES.index("fp16")

_SILENT = (ACC_MODES.index("SET"), ACC_MODES.index("ADD"))


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
    kind = MXM_TYPES[v["dtype"]]
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
        timing=lambda c, v: replace(_abc(c, v), d_skew=None),
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
        drives=lambda c, v: () if v["mode"] in _SILENT else ((v["dst"], 4),),
        strides=(("row", "stride"),),
        refuse=_typed,
    ),
)
