"""Words of assembly text: an instruction with its suffixes, operands and result, or a word as a number."""

from dataclasses import dataclass

from sw.arch.config import Config
from sw.arch.floorplan import Queue
from sw.asm.operands import Imm, Syntax, syntax
from sw.asm.tokens import Line, Token
from sw.isa.codec import EncodeError, decode
from sw.isa.spec import Instr, Kind, Word
from sw.isa.table import TABLE

_ROWS = {instr.name: instr for instr in TABLE}


@dataclass(frozen=True)
class Written:
    """An instruction as it is written: its row, the values given, and where its name and they stand."""

    instr: Instr
    given: dict[str, object]
    name: Token
    tokens: dict[str, Token]


def raw_word(line: Line, queue: Queue, c: Config) -> Word:
    """The word that a number stands for; TokenError if the queue has no such word."""
    token = line.here
    digits = token.text
    if not digits.lower().startswith("0x") or len(digits) > 34:
        raise line.error(
            "Expected an instruction, or a word as a hexadecimal number of at most 32 digits.", token
        )
    try:
        word = decode(int(line.take().text, 16), queue.cls, c)
    except EncodeError as error:
        raise line.error(str(error), token) from error
    return word


def written_op(line: Line) -> Written:
    """The next instruction of a line; TokenError for what cannot be read."""
    name = line.expect("an instruction", "word")
    mnemonic, *suffixes = name.text.split(".")
    if mnemonic.upper() not in _ROWS:
        raise line.error(f"There is no instruction '{mnemonic}'.", name)
    instr = _ROWS[mnemonic.upper()]
    form = syntax(instr)
    if len(suffixes) > len(form.suffixes):
        known = ", ".join(form.suffixes) or "none"
        raise line.error(f"{instr.name} has {len(suffixes)} suffixes, it takes {known}.", name)
    parsed = Written(instr, dict(zip(form.suffixes, suffixes, strict=False)), name, {})
    free = iter(form.operands)
    while not _ends(line):
        if line.here.text == "->":
            line.take()
            if form.result is None:
                raise line.error(f"{instr.name} has no result that could go to a stream.")
            _give(line, parsed, form, form.result)
            break
        if line.tokens[line.index + 1 :] and line.tokens[line.index + 1].text == "=":
            key = line.expect("a field", "word").text
            line.mark("=")
        else:
            key = next(free, None)
            if key is None:
                known = ", ".join(form.operands) or "none"
                raise line.error(f"{instr.name} has no more operands; it takes {known}.")
        _give(line, parsed, form, key)
        line.accept(",")
    return parsed


def _ends(line: Line) -> bool:
    return line.here.kind == "end" or line.here.text in ("|", "REPEAT")


def _give(line: Line, parsed: Written, form: Syntax, key: str) -> None:
    token = line.here
    if key in parsed.given:
        raise line.error(f"{parsed.instr.name}: {key} is given twice.", token)
    parsed.given[key] = _operand(line, parsed, form, key)
    parsed.tokens[key] = token


def _operand(line: Line, parsed: Written, form: Syntax, key: str) -> object:
    token = line.here
    source = form.fields.get(f"{key}_from")
    if token.kind == "word" and token.text not in line.names and source and token.text in source.names:
        return line.take().text
    if key in form.fields and form.fields[key].kind is Kind.ENUM:
        return line.expect("one of " + ", ".join(form.fields[key].names), "word", "number", "bytes").text
    first = line.index
    value = line.value("a stream, a number or a name")
    # In a float operation hexadecimal digits are a bit pattern, decimal ones a number.
    pattern = token.text.lower().startswith("0x") and line.index == first + 1
    if source and pattern and str(parsed.given.get("dtype", "")).lower().startswith("fp"):
        return Imm(value)
    return value
