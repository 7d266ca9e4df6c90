"""Rows of the SXM engines."""

from sw.arch.config import Config
from sw.isa.spec import Instr, Timing, Values, groups
from sw.isa.stages import FLOAT_STAGES, latch


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
        reads=groups(1, "src"),
        drives=groups(1, "dst"),
        refuse=_shift_range,
    ),
    _engine(
        "SELECT_MAP",
        "shift",
        2,
        ("src",),
        "Loads the select map of this engine, one byte a lane, for words issued after it.",
        lambda c, v: Timing(d_skew=0, d_func=1),
        reads=groups(1, "src"),
    ),
    _engine(
        "PERMUTE",
        "permute",
        1,
        ("src", "dst"),
        "dst[i] <- src[map[i]] over all lanes; an index >= VL gives 0.",
        _moved(lambda c: c.superlanes - 1),
        reads=groups(1, "src"),
        drives=groups(1, "dst"),
    ),
    _engine(
        "MAP",
        "permute",
        2,
        ("src",),
        "Loads the permute map from an SG2, one 16-bit index a lane, for words issued after it.",
        lambda c, v: Timing(d_skew=0, d_func=1),
        reads=groups(2, "src"),
    ),
    _engine(
        "DISTRIBUTE",
        "distribute",
        1,
        ("src", "map", "dst"),
        "Within each superlane dst[i] <- src[map[i]]; an index >= lanes gives 0.",
        _moved(),
        reads=groups(1, "src", "map"),
        drives=groups(1, "dst"),
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
        reads=groups(4, "src"),
        drives=groups(4, "dst"),
    ),
)
