"""Streams by name: `E4` and `W12` are streams, `SG4_W[3]` is the aligned group W12 … W15.

As a number (in an instruction field) a stream is `index` eastward and `streams + index` westward.
"""

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"([EW])(\d+)")
_GROUP = re.compile(r"SG(\d+)_([EW])\[(\d+)\]")


@dataclass(frozen=True, order=True)
class Stream:
    """One stream: `west` tells its direction of flow, `index` its number in that direction."""

    west: bool
    index: int

    def __str__(self) -> str:
        return f"{'W' if self.west else 'E'}{self.index}"

    def code(self, streams: int) -> int:
        """The number of this stream in an instruction field."""
        return self.index + streams * self.west

    @classmethod
    def of(cls, code: int, streams: int) -> "Stream":
        """The stream with this field number."""
        return cls(code >= streams, code % streams)

    @classmethod
    def parse(cls, text: str) -> "Stream":
        """A stream from `E4` or (first stream of a group) `SG4_E[1]`; ValueError in a sentence."""
        if single := _SINGLE.fullmatch(text):
            return cls(single[1] == "W", int(single[2]))
        if group := _GROUP.fullmatch(text):
            return cls(group[2] == "W", int(group[1]) * int(group[3]))
        raise ValueError(f"'{text}' is not a stream; write E4, W12 or SG4_W[3].")
