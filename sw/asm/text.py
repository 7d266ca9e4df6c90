"""Assembly text: the parser. `docs/assembly.md` describes the language."""

from contextlib import contextmanager
from dataclasses import dataclass

from sw.arch.config import Config, load
from sw.arch.floorplan import Queue
from sw.asm.directives import DIRECTIVES, define
from sw.asm.entry import Entry, ProgramError
from sw.asm.image import Image, ImageError
from sw.asm.program import Program
from sw.asm.tokens import Line, Token, TokenError
from sw.asm.words import raw_word, written_op
from sw.isa.spec import Op, Word


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong at a place of a text; line and column count from 1."""

    file: str
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"


class AssemblyError(ValueError):
    """A text that is no program; `problems` are all that were found, in order of line."""

    def __init__(self, problems: list[Problem]):
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def parse(text: str, config: Config | None = None, file: str = "text") -> Program:
    """The program that a text describes. AssemblyError with all problems if there are any.

    The configuration is the one that `.config` names, or `config`; if both are given they must be equal.
    """
    return _Parser(config, file).parse(text)


def assemble(text: str, config: Config | None = None, file: str = "text") -> Image:
    """The image of a text; AssemblyError with all problems if there are any."""
    parser = _Parser(config, file)
    program = parser.parse(text)
    try:
        return program.image()
    except (ProgramError, ImageError) as error:
        line, column = parser.places.get(id(getattr(error, "entry", None)), (1, 1))
        raise AssemblyError([Problem(file, line, column, str(error))]) from error


class _Parser:
    def __init__(self, config: Config | None, file: str):
        self.file, self.config = file, config
        self.names: dict[str, object] = {}
        self.problems: list[Problem] = []
        #: id of an entry -> line and column where it was written.
        self.places: dict[int, tuple[int, int]] = {}
        #: Queue name -> its latest entry, for `+n`.
        self.latest: dict[str, Entry] = {}
        #: What a REPEAT on a line of its own repeats.
        self.open: Entry | None = None

    def parse(self, text: str) -> Program:
        """The program; directives come first, since labels may be used before the line that defines them."""
        lines: list[tuple[int, Line]] = []
        for number, raw in enumerate(text.split("\n"), 1):
            with self._keeping(number):
                lines.append((number, Line(raw, self.names)))
        lines = [(number, line) for number, line in lines if line.here.kind != "end"]
        for number, line in lines:
            if line.here.text == ".config":
                with self._keeping(number):
                    self._configure(line)
        if self.config is None and not self.problems:
            sentence = "No configuration is named; write .config or give one."
            self.problems.append(Problem(self.file, 1, 1, sentence))
        if self.config is None:
            raise AssemblyError(self.problems)
        self.program = Program(self.config)
        words = []
        for number, line in lines:
            first, second = line.tokens[:2]
            if second.text != ":" and not first.text.startswith("."):
                words.append((number, line))
            elif first.text != ".config":
                with self._keeping(number):
                    self._directive(line)
        for number, line in words:
            with self._keeping(number):
                self._words(line, number)
        if self.problems:
            raise AssemblyError(self.problems)
        return self.program

    @contextmanager
    def _keeping(self, number: int):
        """Keeps the problem that is met while a line is read."""
        try:
            yield
        except TokenError as error:
            self.problems.append(Problem(self.file, number, error.column, str(error)))

    def _configure(self, line: Line) -> None:
        line.take()
        token = line.here
        name = line.string()
        line.end()
        try:
            named = load(name)
        except (ValueError, OSError) as error:
            raise line.error(str(error), token) from error
        if self.config is not None and named.hash != self.config.hash:
            raise line.error(f"The text is for '{name}', the chip is '{self.config.name}'.", token)
        self.config = named

    def _directive(self, line: Line) -> None:
        label = None
        if line.tokens[1].text == ":":
            label = line.expect("a label", "word")
            line.mark(":")
        name = line.expect("a directive", "word")
        if name.text not in DIRECTIVES:
            raise line.error(f"'{name.text}' is no directive; known are {', '.join(DIRECTIVES)}.", name)
        with _blaming(line, name):
            value = DIRECTIVES[name.text](line, self.program)
            if label is not None:
                define(line, self.program, label, value)
        line.end()

    def _words(self, line: Line, number: int) -> None:
        if line.here.text == "REPEAT":
            if self.open is None:
                raise line.error("This REPEAT follows no word.")
            self._repeat(line, self.open)
            return line.end()
        self.open = None
        how = line.accept("@", "+", "=")
        if how is None:
            raise line.error("Expected @time, +cycles, =, REPEAT, a label or a directive.")
        offset = 0 if how.text == "=" else line.integer("a number of cycles")
        token = line.expect("a queue", "word")
        with _blaming(line, token):
            queue = self.program.queue(token.text)
        word = self._word(line, queue)
        if how.text == "=":
            with _blaming(line, token):
                self.program.append(queue, word)
            return line.end()
        before = self.latest.get(queue.name) if how.text == "+" else None
        time = offset if before is None else before.last + offset
        with _blaming(line, token):
            for op in word:
                entry = self.program.place(queue, time, op)
        self.latest[queue.name] = self.open = entry
        self.places[id(entry)] = number, token.column
        if line.here.text == "REPEAT":
            self._repeat(line, entry)
        line.end()

    def _word(self, line: Line, queue: Queue) -> Word:
        if line.here.kind == "number":
            return raw_word(line, queue, self.config)
        ops = [self._op(line, queue)]
        while line.accept("|"):
            ops.append(self._op(line, queue))
        return tuple(ops)

    def _op(self, line: Line, queue: Queue) -> Op:
        parsed = written_op(line)
        try:
            return self.program.make(queue, parsed.instr, parsed.given)
        except ProgramError as error:
            raise line.error(str(error), parsed.tokens.get(error.operand, parsed.name)) from error

    def _repeat(self, line: Line, entry: Entry) -> None:
        token = line.take()
        n = line.integer("a number of copies")
        gap = line.integer("cycles from copy to copy") if line.accept(",") else 1
        with _blaming(line, token):
            entry.repeat(n, gap)


@contextmanager
def _blaming(line: Line, token: Token):
    """Gives an error of the program the place of a token."""
    try:
        yield
    except ProgramError as error:
        raise line.error(str(error), token) from error
