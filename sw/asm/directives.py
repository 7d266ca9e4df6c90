"""Directives of assembly text: what lines that begin with a dot mean.

Every function takes the line behind the directive's name and the program, and gives the number that a label
before the directive stands for.
"""

import numpy as np

from sw.arch.dtype import DType
from sw.arch.stream import Stream
from sw.asm.entry import ProgramError
from sw.asm.operands import immediate
from sw.asm.program import Program
from sw.asm.tokens import Line, Token
from sw.isa.codec import EncodeError

#: Words that cannot be names of constants or labels.
RESERVED = ("PREV", "NEXT", "REPEAT", "inf", "nan")


def define(line: Line, program: Program, token: Token, value: int | float | Stream) -> None:
    """Gives a name a meaning for all lines; TokenError if it has another one."""
    if token.text in RESERVED or token.text.startswith("."):
        raise line.error(f"'{token.text}' cannot be a name.", token)
    known = line.names.setdefault(token.text, value)
    if known != value:
        raise line.error(f"The name '{token.text}' already stands for {known}, it cannot be {value}.", token)
    if isinstance(value, int):
        program.label(token.text, value)


def _equ(line: Line, program: Program) -> int | float | Stream:
    token = line.expect("a name", "word")
    line.mark(",")
    value = line.value()
    define(line, program, token, value)
    return value


def _address(line: Line) -> tuple[str, int]:
    where = line.expect("a MEM slice", "word", "stream").text
    line.mark(",")
    return where, line.integer("a word address")


def _data(line: Line, program: Program) -> int:
    where, addr = _address(line)
    line.mark(",")
    text = bool(line.accept("text"))
    token = line.expect("a type or 'hex'", "word")
    raw = _hex(line) if token.text == "hex" else _values(line, token)
    rows = -(-len(raw) // program.config.vl)
    padded = np.frombuffer(raw.ljust(rows * program.config.vl, b"\0"), np.uint8)
    program.data(where, addr, padded.reshape(rows, -1), text=text)
    return addr


def _hex(line: Line) -> bytes:
    first, digits = line.here, ""
    while line.here.kind in ("word", "number", "bytes", "stream"):
        digits += line.take().text
    try:
        raw = bytes.fromhex(digits)
    except ValueError as error:
        raise line.error("The hexadecimal bytes are not pairs of hexadecimal digits.", first) from error
    if not raw:
        raise line.error("Expected hexadecimal bytes.", first)
    return raw


def _values(line: Line, token: Token) -> bytes:
    try:
        dtype = DType.parse(token.text)
    except ValueError as error:
        raise line.error(f"Expected hex, or a type: {error}.", token) from error
    raw = bytearray()
    while True:
        at = line.here
        value = line.value()
        if isinstance(value, Stream):
            raise line.error(f"A stream such as {value} is no data.", at)
        try:
            bits = immediate(value, dtype)
        except EncodeError as error:
            raise line.error(str(error), at) from error
        raw += (bits & dtype.mask).to_bytes(dtype.streams, "little")
        if not line.accept(","):
            return bytes(raw)


def _region(add: str):
    def directive(line: Line, program: Program) -> int:
        name = line.string()
        line.mark(",")
        where, addr = _address(line)
        words = line.integer("a number of words") if line.accept(",") else 1
        getattr(program, add)(name, where, addr, words)
        return addr

    return directive


def _text(line: Line, program: Program) -> int:
    queue = line.expect("a queue", "word").text
    line.mark(",")
    boot = line.integer("the number of boot words")
    rows = []
    while line.accept(","):
        where = line.expect("a MEM slice", "word", "stream").text
        line.mark(":")
        rows.append((where, line.integer("a word address")))
    if len(rows) % 2:
        raise ProgramError(f"The text of queue {queue} has {len(rows)} rows, they must come in pairs.")
    program.text(queue, boot, list(zip(rows[::2], rows[1::2], strict=True)))
    return boot


DIRECTIVES = {
    ".equ": _equ,
    ".data": _data,
    ".input": _region("input"),
    ".output": _region("output"),
    ".text": _text,
}
