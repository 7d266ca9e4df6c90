"""Lines of assembly text as tokens, and the expressions made of them."""

import json
import re
from dataclasses import dataclass

from sw.arch.stream import Stream

#: Larger numbers are refused before they reach any field.
LARGEST = 1 << 64

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)
      | (?P<comment>[;\#].*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<stream>(?:SG\d+_[EW]\[\d+\]|[EW]\d+)(?![\w.]))
      | (?P<number>(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)(?![\w.]))
      | (?P<word>\.?[A-Za-z_]\w*(?:\.\w+)*)
      | (?P<bytes>\w+)
      | (?P<mark>->|[@+\-*=:,|])""",
    re.VERBOSE | re.ASCII,
)


class TokenError(ValueError):
    """Text that cannot be read; `column` counts from 1."""

    def __init__(self, sentence: str, column: int):
        super().__init__(sentence)
        self.column = column


@dataclass(frozen=True)
class Token:
    """A piece of a line: `kind` is string, stream, number, word, bytes, mark or end."""

    kind: str
    text: str
    column: int


class Line:
    """A cursor over the tokens of one line; `names` gives constants and labels a meaning."""

    def __init__(self, text: str, names: dict[str, object]):
        self.names, self.tokens, self.index = names, list(_tokens(text)), 0

    @property
    def here(self) -> Token:
        """The next token; of kind `end` behind the last."""
        return self.tokens[self.index]

    def take(self) -> Token:
        """The next token, and moves on."""
        token = self.here
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def accept(self, *texts: str) -> Token | None:
        """The next token if it is one of these marks or words."""
        return self.take() if self.here.kind in ("mark", "word") and self.here.text in texts else None

    def expect(self, what: str, *kinds: str) -> Token:
        """The next token if it is of one of these kinds; TokenError that asks for `what` otherwise."""
        if self.here.kind not in kinds:
            raise self.error(f"Expected {what}, found {self._found()}.")
        return self.take()

    def mark(self, text: str) -> None:
        """Takes a mark; TokenError if something else stands here."""
        if not self.accept(text):
            raise self.error(f"Expected '{text}', found {self._found()}.")

    def end(self) -> None:
        """TokenError if the line goes on."""
        if self.here.kind != "end":
            raise self.error(f"Expected the end of the line, found {self._found()}.")

    def error(self, sentence: str, token: Token | None = None) -> TokenError:
        """An error at a token, the next one by default."""
        return TokenError(sentence, (token or self.here).column)

    def string(self) -> str:
        """A name, in quotes if it is no word."""
        token = self.expect("a name", "string", "word", "stream")
        if token.kind != "string":
            return token.text
        try:
            return json.loads(token.text)
        except ValueError as error:
            raise self.error(f"The string {token.text} is not well formed.", token) from error

    def integer(self, what: str) -> int:
        """The value of an expression that must be a whole number."""
        token = self.here
        value = self.value(what)
        if not isinstance(value, int):
            raise self.error(f"Expected {what}, found {value}.", token)
        return value

    def value(self, what: str = "a value") -> int | float | Stream:
        """The value of sums and products of numbers and names, or a single stream."""
        token = self.here
        total = self._product(what)
        while sign := self.accept("+", "-"):
            term = self._product("a number")
            total = self._compute(token, total, sign.text, term)
        return total

    def _product(self, what: str):
        token = self.here
        total = self._atom(what)
        while self.accept("*"):
            total = self._compute(token, total, "*", self._atom("a number"))
        return total

    def _atom(self, what: str):
        negative = False
        while self.accept("-"):
            negative = not negative
        token = self.expect(what, "number", "stream", "word")
        if token.kind == "stream":
            value = Stream.parse(token.text) if len(token.text) < 20 else None
            if value is None:
                raise self.error(f"The stream {token.text} does not exist.", token)
        elif token.kind == "number":
            value = self._number(token)
        elif token.text in ("inf", "nan"):
            value = float(token.text)
        elif token.text in self.names:
            value = self.names[token.text]
        else:
            raise self.error(f"Expected {what}, found '{token.text}', which is no known name.", token)
        return self._compute(token, 0, "-", value) if negative else value

    def _number(self, token: Token) -> int | float:
        if len(token.text) > 80:
            raise self.error(f"The number has {len(token.text)} digits, at most 80 are read.", token)
        if token.text[:2].lower() in ("0x", "0b"):
            value = int(token.text, 0)
        else:
            value = int(token.text) if token.text.isdecimal() else float(token.text)
        return self._limited(token, value)

    def _compute(self, token: Token, a, sign: str, b):
        if isinstance(a, Stream) or isinstance(b, Stream):
            raise self.error("A stream cannot be part of a sum or product.", token)
        if sign == "*":
            return self._limited(token, a * b)
        if sign == "-" and a == 0 and isinstance(b, float):
            return -b
        return self._limited(token, a + b if sign == "+" else a - b)

    def _limited(self, token: Token, value):
        if isinstance(value, int) and abs(value) > LARGEST:
            raise self.error(f"The number {value} is larger than {LARGEST}.", token)
        return value

    def _found(self) -> str:
        return "the end of the line" if self.here.kind == "end" else f"'{self.here.text}'"


def _tokens(text: str):
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise TokenError(f"The character {text[at]!r} has no meaning here.", at + 1)
        if found.lastgroup not in ("space", "comment"):
            yield Token(found.lastgroup, found[0], at + 1)
        at = found.end()
    yield Token("end", "", len(text) + 1)
