"""The binary image: what the host loads into a chip. The container is described in `docs/assembly.md`."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Queue, floorplan
from sw.isa.codec import EncodeError, decode, words_from_bytes, words_to_bytes
from sw.isa.fields import WORD_BYTES

MAGIC = b"TAKTIMG\0"
VERSION = 1
HALT_WORD = 0
#: magic, version, reserved, configuration hash, bytes in all; queues, segments, inputs, outputs.
HEADER = struct.Struct("<8sHHII4I")
PAIR = struct.Struct("<II")
SEGMENT = struct.Struct("<4I")
REGION = struct.Struct("<4I")


class ImageError(ValueError):
    """An image that no chip of this configuration can run; the text says what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows of one MEM slice: `data` is uint8 [n, VL], placed from word `addr` on; `text` is program text."""

    slice: int
    addr: int
    data: np.ndarray
    text: bool = False


@dataclass(frozen=True)
class Region:
    """Named rows of one MEM slice that the host writes before a run (input) or reads after it (output)."""

    name: str
    slice: int
    addr: int
    words: int


@dataclass(frozen=True, eq=False)
class Image:
    """Boot words of every queue, initial memory, and the regions that the host uses.

    `boot` may leave out queues, which then hold one HALT. ImageError in a sentence for words that the
    configuration does not have, for anything outside of its memories, and for segments that overlap. Segments
    are kept in order of slice and address, those that touch as one.
    """

    config: Config
    boot: Mapping[str, tuple[int, ...]]
    memory: tuple[Segment, ...] = ()
    inputs: tuple[Region, ...] = ()
    outputs: tuple[Region, ...] = ()

    def __post_init__(self):
        queues = floorplan(self.config).queues
        for name in set(self.boot) - {queue.name for queue in queues}:
            raise ImageError(f"This configuration has no queue '{name}'.")
        boot = {queue.name: tuple(self.boot.get(queue.name, (HALT_WORD,))) for queue in queues}
        object.__setattr__(self, "boot", boot)
        known: set[tuple[str, int]] = set()
        for queue in queues:
            _check_boot(queue, boot[queue.name], self.config, known)
        object.__setattr__(self, "memory", tuple(sorted(self.memory, key=lambda s: (s.slice, s.addr))))
        _check_memory(self)
        object.__setattr__(self, "memory", _merged(self.memory))

    def __eq__(self, other) -> bool:
        return isinstance(other, Image) and self.to_bytes() == other.to_bytes()

    __hash__ = None

    def to_bytes(self) -> bytes:
        """The binary container; equal images give equal bytes."""
        parts = []
        for index, words in enumerate(self.boot.values()):
            parts.append(PAIR.pack(index, len(words)))
            parts.append(words_to_bytes(words))
        for segment in self.memory:
            parts.append(SEGMENT.pack(segment.slice, segment.addr, len(segment.data), segment.text))
            parts.append(segment.data.tobytes())
        for region in (*self.inputs, *self.outputs):
            name = region.name.encode()
            parts.append(REGION.pack(len(name), region.slice, region.addr, region.words) + name)
        body = b"".join(parts)
        size = HEADER.size + len(body) + 4
        counts = len(self.boot), len(self.memory), len(self.inputs), len(self.outputs)
        data = HEADER.pack(MAGIC, VERSION, 0, self.config.hash, size, *counts) + body
        return data + struct.pack("<I", zlib.crc32(data))

    @classmethod
    def from_bytes(cls, data: bytes, config: Config) -> "Image":
        """The image in `data`; ImageError if it is damaged, truncated or made for another configuration."""
        if len(data) < HEADER.size + 4:
            raise ImageError(
                f"The image is truncated: it has {len(data)} bytes, the least is {HEADER.size + 4}."
            )
        magic, version, reserved, config_hash, size, *counts = HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ImageError(f"This is no Takt image: it begins with {magic!r}, not {MAGIC!r}.")
        if version != VERSION:
            raise ImageError(f"The image has format version {version}, this program reads version {VERSION}.")
        if size != len(data):
            raise ImageError(f"The image is damaged: it has {len(data)} bytes, its header says {size}.")
        if struct.unpack_from("<I", data, size - 4)[0] != zlib.crc32(data[:-4]):
            raise ImageError("The image is damaged: its CRC does not match its contents.")
        if reserved:
            raise ImageError(f"The image has {reserved} in its reserved field, it must be 0.")
        if config_hash != config.hash:
            raise ImageError(
                f"The image was made for configuration {config_hash:08x}, this chip is "
                f"'{config.name}' ({config.hash:08x})."
            )
        return _Reader(data, config).image(*counts)


class _Reader:
    """Takes the sections of a container whose CRC is right one after the other."""

    def __init__(self, data: bytes, config: Config):
        self.data, self.config, self.at = data[:-4], config, HEADER.size

    def image(self, queues: int, segments: int, inputs: int, outputs: int) -> Image:
        names = [queue.name for queue in floorplan(self.config).queues]
        boot = {}
        for _ in range(queues):
            index, count = self._unpack(PAIR)
            if index >= len(names):
                raise ImageError(f"The image holds queue {index}, the last one is {len(names) - 1}.")
            boot[names[index]] = tuple(words_from_bytes(self._take(count * WORD_BYTES)))
        memory = tuple(self._segment() for _ in range(segments))
        regions = [self._region() for _ in range(inputs + outputs)]
        if self.at != len(self.data):
            raise ImageError(f"The image has {len(self.data) - self.at} bytes behind its last section.")
        return Image(self.config, boot, memory, tuple(regions[:inputs]), tuple(regions[inputs:]))

    def _segment(self) -> Segment:
        where, addr, rows, text = self._unpack(SEGMENT)
        if text > 1:
            raise ImageError(f"A segment has the flags {text}, only 0 and 1 are known.")
        raw = np.frombuffer(self._take(rows * self.config.vl), np.uint8)
        return Segment(where, addr, raw.reshape(rows, self.config.vl), bool(text))

    def _region(self) -> Region:
        length, where, addr, words = self._unpack(REGION)
        try:
            name = self._take(length).decode()
        except UnicodeDecodeError as error:
            raise ImageError("A region has a name that is not UTF-8.") from error
        return Region(name, where, addr, words)

    def _unpack(self, form: struct.Struct):
        return form.unpack(self._take(form.size))

    def _take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ImageError(f"The image ends inside of a section of {count} bytes.")
        self.at += count
        return self.data[self.at - count : self.at]


def _check_boot(queue: Queue, words: tuple[int, ...], c: Config, known: set[tuple[str, int]]) -> None:
    if not words:
        raise ImageError(f"Queue {queue.name} has no boot words, the least is a HALT.")
    if len(words) > c.queue_words:
        raise ImageError(f"Queue {queue.name} has {len(words)} boot words, it holds {c.queue_words}.")
    for at, word in enumerate(words):
        if (queue.cls, word) in known:
            continue
        try:
            decode(word, queue.cls, c)
        except EncodeError as error:
            raise ImageError(f"Word {at} of queue {queue.name} is not an instruction: {error}") from error
        known.add((queue.cls, word))


def _merged(memory: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Segments in order, with those that continue each other put together."""
    runs: list[list[Segment]] = []
    for segment in memory:
        last = runs[-1][-1] if runs else None
        if last and (last.slice, last.addr + len(last.data), last.text) == (
            segment.slice,
            segment.addr,
            segment.text,
        ):
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return tuple(
        Segment(run[0].slice, run[0].addr, np.concatenate([part.data for part in run]), run[0].text)
        for run in runs
    )


def _check_memory(image: Image) -> None:
    slices, rows = floorplan(image.config).slices, image.config.mem.words

    def inside(what: str, where: int, addr: int, words: int) -> None:
        if not 0 <= where < len(slices):
            raise ImageError(f"{what} lies in slice {where}, the last one is {len(slices) - 1}.")
        if addr < 0 or words < 1 or addr + words > rows:
            raise ImageError(
                f"{what} has {words} words from {addr} of {slices[where].name}, "
                f"which has words 0 to {rows - 1}."
            )

    for segment in image.memory:
        if segment.data.dtype != np.uint8 or segment.data.shape[1:] != (image.config.vl,):
            raise ImageError(
                f"A segment holds {segment.data.dtype} {segment.data.shape}, "
                f"it must be uint8 [n, {image.config.vl}]."
            )
        inside("A segment", segment.slice, segment.addr, len(segment.data))
    for low, high in pairwise(image.memory):
        if low.slice == high.slice and low.addr + len(low.data) > high.addr:
            raise ImageError(f"Two segments hold word {high.addr} of {slices[low.slice].name}.")
    for kind, regions in (("input", image.inputs), ("output", image.outputs)):
        names = [region.name for region in regions]
        for region in regions:
            if not region.name.isprintable():
                raise ImageError(f"The {kind} {region.name!a} has a name that cannot be printed.")
            inside(f"The {kind} '{region.name}'", region.slice, region.addr, region.words)
            if names.count(region.name) > 1:
                raise ImageError(f"Two {kind}s have the name '{region.name}'.")
