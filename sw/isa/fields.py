"""The fields of every queue class, slot by slot: names, widths and meanings."""

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.isa.spec import Field, Kind


def width_of(count: int) -> int:
    """Bits that hold `count` different values; at least one."""
    return max(1, (count - 1).bit_length())


def _stream_bits(c: Config) -> int:
    return width_of(c.streams) + 1


def _address_bits(c: Config) -> int:
    return width_of(c.mem.words)


def uint(name, bits, doc):
    return Field(name, Kind.UINT, bits if callable(bits) else lambda c: bits, doc)


def sint(name, bits, doc):
    return Field(name, Kind.SINT, bits if callable(bits) else lambda c: bits, doc)


def choice(name, names, doc):
    return Field(name, Kind.ENUM, lambda c: width_of(len(names)), doc, tuple(names))


def flag(name, doc):
    return Field(name, Kind.FLAG, lambda c: 1, doc)


def stream(name, doc):
    return Field(name, Kind.STREAM, _stream_bits, doc)


def _op(bits):
    return uint("op", bits, "instruction of this slot; 0 leaves the slot empty")


SOURCES = ("STREAM", "PREV", "NEXT", "IMM")
CHAIN = ("PREV", "NEXT")
ACC_MODES = ("PASS", "SET", "ADD", "ADD_OUT", "READ")
SHIFT_MODES = ("NORTH", "SOUTH", "SELECT")
REDUCE_OPS = ("MAX", "MIN", "SUM")
MXM_TYPES = ("int8", "fp16")
REDUCE_TYPES = ("int32", "fp32")
TYPES = tuple(dtype.text for dtype in DType)


#: What a frame is known by on its way.
_NUMBER = (uint("number", 12, "number of the frame"), sint("stride", 4, "what REPEAT adds to number"))


def _access(verb, other):
    return (
        _op(2),
        uint("addr", _address_bits, f"word address that is {verb}; bank 1 is the upper half"),
        stream("stream", f"data stream {other}"),
        uint("rows", lambda c: width_of(c.bank_words + 1), "words of the region, all in one bank"),
        stream("map", "SG2 with the int16 offset of each superlane in its lane 0"),
        sint("stride", 10, "words that REPEAT adds to addr"),
    )


#: Word kinds, in the low three bits of every word.
KINDS = ("HALT", "UNIT", "NOP", "REPEAT", "IFETCH", "SYNC", "NOTIFY", "CONFIG")
KIND_BITS = 3
#: Bytes that a word takes in memory, in a fetch and in an image.
WORD_BYTES = 16

#: Payload of the instruction-control words; each row uses one or two of these from bit 3 on.
ICU_FIELDS = {
    "n": uint("n", 16, "cycles, or copies"),
    "gap": uint("gap", 12, "cycles from copy to copy"),
    "stream": stream("stream", "SG2 that carries program text"),
    "mask": Field("mask", Kind.BITS, lambda c: c.superlanes, "bit r powers superlane r"),
}

#: Queue class -> slot -> fields, low bits first.
SLOTS: dict[str, dict[str, tuple[Field, ...]]] = {
    "MEM": {
        "read": _access("read", "to drive"),
        "write": _access("written", "to store"),
    },
    "VXM": {
        "alu": (
            _op(6),
            choice("dtype", TYPES, "type of the operands"),
            choice("to", TYPES, "type of the result of CONVERT"),
            choice("overflow", ("sat", "mod"), "integer overflow: saturate, or modulo 2^bits"),
            choice("a_from", SOURCES, "where operand a comes from"),
            stream("a", "operand a"),
            choice("b_from", SOURCES, "where operand b comes from"),
            stream("b", "operand b"),
            choice("m_from", CHAIN, "chain neighbour that gives the mask of SELECT"),
            flag("out", "whether the result leaves on a stream"),
            stream("dst", "result"),
            Field("imm", Kind.BITS, lambda c: 32, "32-bit immediate, as the lane sees it"),
        ),
    },
    "MXM_W": {
        "load": (
            _op(1),
            choice("dtype", MXM_TYPES, "type of the weights"),
            stream("stream", "first stream; column col + j comes on stream + j (fp16: on an SG2)"),
            choice("n", ("1", "2", "4", "8", "16"), "streams"),
            uint("col", lambda c: width_of(c.vl), "first column of the weight buffer"),
            sint("stride", 6, "columns that REPEAT adds to col"),
        ),
        "install": (_op(1),),
    },
    "MXM_A": {
        "pass": (
            _op(2),
            choice("dtype", MXM_TYPES, "type of the activations"),
            stream("stream", "activations"),
        ),
    },
    "MXM_R": {
        "acc": (
            _op(1),
            choice("dtype", MXM_TYPES, "type of the pass: int8 sums in int32, fp16 in fp32"),
            choice("mode", ACC_MODES, "what happens to the pass"),
            uint("row", lambda c: width_of(c.mxm.acc_rows), "accumulator row"),
            stream("dst", "result, SG4"),
            sint("stride", 6, "rows that REPEAT adds to row"),
        ),
    },
    "SXM_SHIFT": {
        "shift": (
            _op(2),
            choice("mode", SHIFT_MODES, "direction; SELECT takes it lane by lane from the select map"),
            uint("n", lambda c: width_of(c.lanes + 1), "lanes"),
            stream("src", "input"),
            stream("dst", "result"),
        ),
    },
    "SXM_PERMUTE": {
        "permute": (_op(2), stream("src", "input"), stream("dst", "result")),
    },
    "SXM_DISTRIBUTE": {
        "distribute": (
            _op(1),
            stream("src", "input"),
            stream("map", "per lane, the lane of its superlane to take"),
            stream("dst", "result"),
        ),
    },
    "SXM_ROTATE": {
        "rotate": (
            _op(1),
            choice("n", ("3", "4"), "size of the rotated groups"),
            stream("src", "first of n streams"),
            stream("dst", "first of n*n streams"),
        ),
    },
    "SXM_TRANSPOSE": {
        "transpose": (_op(1), stream("src", "first of `lanes` streams"), stream("dst", "first of `lanes` streams")),
    },
    "SXM_REDUCE": {
        "reduce": (
            _op(1),
            choice("fn", REDUCE_OPS, "what is taken over all lanes"),
            choice("dtype", REDUCE_TYPES, "type of the elements"),
            stream("src", "SG4"),
            stream("dst", "SG4"),
        ),
    },
    "C2C_SEND": {
        "send": (
            _op(2),
            stream("stream", "vector"),
            *_NUMBER,
            uint("link", lambda c: width_of(max(2, c.c2c.links)), "receive port of this unit"),
        ),
    },
    "C2C_RECEIVE": {
        "receive": (
            _op(3),
            stream("stream", "vector"),
            *_NUMBER,
            flag("wait", "whether DESKEW waits for a mark"),
            uint("t", 12, "cycles of RUNTIME_DESKEW"),
        ),
    },
}
