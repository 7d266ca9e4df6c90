"""llama2.c's tokenizer: its file, byte pairs merged by score, and text from tokens."""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from pathlib import Path

#: Start of text, and end of text.
BOS, EOS = 1, 2
#: The token of byte 0; the other bytes follow.
_FIRST_BYTE = 3
_BYTE = re.compile(rb"<0x([0-9a-fA-F]{1,2})")
#: Bytes that are not shown when they are a whole piece: controls that are no white space.
_HIDDEN = {byte for byte in range(32) if byte not in b"\t\n\v\f\r"} | {127}


class TokenizerError(ValueError):
    """A tokenizer file or a text that cannot be used, in a sentence."""


@dataclass(frozen=True)
class Tokenizer:
    """Pieces and scores by token."""

    pieces: tuple[bytes, ...]
    scores: tuple[float, ...]

    @classmethod
    def read(cls, path: str | Path) -> "Tokenizer":
        """From a `tokenizer.bin`."""
        return cls.parse(Path(path).read_bytes(), str(path))

    @classmethod
    def parse(cls, data: bytes, path: str) -> "Tokenizer":
        """From the bytes of a `tokenizer.bin`: int32 longest piece, then per token float32 score, int32 length, bytes.

        `path` names it in messages; TokenizerError for what is damaged.
        """
        at, pieces, scores = 4, [], []
        while at < len(data):
            if at + 8 > len(data):
                raise TokenizerError(f"{path} ends inside of token {len(pieces)}.")
            score, length = struct.unpack_from("<fi", data, at)
            at += 8 + length
            if length < 0 or at > len(data):
                left = len(data) - at + length
                raise TokenizerError(f"{path} says that token {len(pieces)} has {length} bytes, {left} are left.")
            pieces.append(data[at - length : at])
            scores.append(score)
        if len(pieces) < _FIRST_BYTE:
            raise TokenizerError(f"{path} holds {len(pieces)} tokens, the first {_FIRST_BYTE} have fixed meanings.")
        return cls(tuple(pieces), tuple(scores))

    def encode(self, text: str, bos: bool = True, eos: bool = False) -> list[int]:
        """Tokens of a text: a space in front, one token a character or byte, then pairs merged, best score first.

        TokenizerError for characters that are none, as bytes outside of UTF-8 become in arguments, or without a token.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TokenizerError(f"The text has no character, but a stray code, at place {error.start}.") from error
        tokens = [BOS] if bos else []
        if text:
            if b" " not in self._numbers:
                raise TokenizerError("The tokenizer has no piece for the space that stands before every text.")
            tokens.append(self._numbers[b" "])
        for character in text:
            raw = character.encode()
            tokens += [self._numbers[raw]] if raw in self._numbers else [byte + _FIRST_BYTE for byte in raw]
        if tokens and max(tokens) >= len(self.pieces):
            raise TokenizerError(f"The text has a byte without a token; the tokenizer knows {len(self.pieces)} tokens.")
        merged = self._merged(tokens)
        return merged + [EOS] if eos else merged

    def piece(self, previous: int, token: int) -> bytes:
        """What `token` adds to the text after `previous`.

        No space at the start of a text, `<0xNN>` is a byte, and control characters are left out. Unlike in llama2.c's
        output, bytes above 127 stay, so that characters of several byte tokens survive.
        """
        piece = self.pieces[token]
        if previous == BOS and piece.startswith(b" "):
            piece = piece[1:]
        if byte := _BYTE.match(piece):
            piece = bytes([int(byte[1], 16)])
        return b"" if len(piece) == 1 and piece[0] in _HIDDEN else piece

    def decode(self, tokens: Iterable[int]) -> str:
        """The text that tokens after the first add; the first is BOS or the last of what went before."""
        tokens = list(tokens)
        pairs = zip(tokens, tokens[1:], strict=False)
        return b"".join(self.piece(previous, token) for previous, token in pairs).decode(errors="replace")

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        """Token by piece; of equal pieces the first."""
        numbers: dict[bytes, int] = {}
        for token, piece in enumerate(self.pieces):
            numbers.setdefault(piece, token)
        return numbers

    def _merged(self, tokens: list[int]) -> list[int]:
        """Tokens with pairs merged as long as there are any: the best score first, of equals the first pair."""
        row: list[int | None] = list(tokens)
        before, behind = list(range(-1, len(row) - 1)), list(range(1, len(row) + 1))
        pairs: list[tuple[float, int, int, int, int]] = []

        def offer(at: int) -> None:
            if at >= 0 and behind[at] < len(row):
                left, right = row[at], row[behind[at]]
                if (pair := self._numbers.get(self.pieces[left] + self.pieces[right])) is not None:
                    heappush(pairs, (-self.scores[pair], at, left, right, pair))

        for at in range(len(row)):
            offer(at)
        while pairs:
            _, at, left, right, pair = heappop(pairs)
            other = behind[at]
            # One of the two may have gone into another pair since.
            if row[at] != left or other == len(row) or row[other] != right:
                continue
            row[at], row[other], behind[at] = pair, None, behind[other]
            if behind[at] < len(row):
                before[behind[at]] = at
            offer(before[at])
            offer(at)
        return [token for token in row if token is not None]
