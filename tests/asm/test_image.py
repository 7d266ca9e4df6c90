import struct
import zlib

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.image import HEADER, Image, ImageError, Region, Segment
from sw.asm.program import Program

TINY = load("tiny")


def example():
    program = Program(TINY)
    program.at(3).mem("E0").read(4, "E4").repeat(2)
    program.at(5).vxm(0).add("int8", "E4", 7, "E5")
    program.data("E0", 4, np.arange(24, dtype=np.uint8).reshape(3, 8))
    program.data("W2", 0, [1, 2, 3], text=True)
    program.input("pixels", "E0", 4, 3)
    program.output("sum", "E1", 9)
    return program.image()


def resealed(data):
    """A container whose length and CRC are right again after a change."""
    data = bytearray(data)
    struct.pack_into("<I", data, 16, len(data))
    struct.pack_into("<I", data, len(data) - 4, zlib.crc32(bytes(data[:-4])))
    return bytes(data)


def test_the_container_keeps_everything():
    image = example()
    again = Image.from_bytes(image.to_bytes(), TINY)
    assert again.to_bytes() == image.to_bytes()
    assert (again.boot, again.inputs, again.outputs) == (image.boot, image.inputs, image.outputs)
    segments = [(s.slice, s.addr, s.data.tolist(), s.text) for s in again.memory]
    assert segments == [(s.slice, s.addr, s.data.tolist(), s.text) for s in image.memory]


def test_every_flipped_bit_is_refused():
    data = example().to_bytes()
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            Image.from_bytes(bytes(damaged), TINY)


def test_every_truncation_and_extension_is_refused():
    data = example().to_bytes()
    for size in range(len(data)):
        with pytest.raises(ImageError, match="truncated|damaged"):
            Image.from_bytes(data[:size], TINY)
    with pytest.raises(ImageError, match="damaged"):
        Image.from_bytes(data + b"\0", TINY)


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused(seed):
    rng = np.random.default_rng(seed)
    for _ in range(200):
        with pytest.raises(ImageError):
            Image.from_bytes(rng.bytes(int(rng.integers(0, 300))), TINY)


@pytest.mark.parametrize("seed", range(4))
def test_damage_behind_a_right_crc_is_a_sentence_too(seed):
    # What a faulty writer could produce: sections that lie, with length and CRC made to fit.
    rng = np.random.default_rng(seed)
    data = example().to_bytes()
    for _ in range(200):
        damaged = bytearray(data)
        for at in rng.integers(HEADER.size - 16, len(data) - 4, 3):
            damaged[at] = rng.integers(0, 256)
        try:
            image = Image.from_bytes(resealed(damaged), TINY)
        except ImageError as error:
            assert str(error).endswith(".")
        else:
            assert Image.from_bytes(image.to_bytes(), TINY) == image


def test_foreign_images_are_refused():
    data = example().to_bytes()
    with pytest.raises(ImageError, match=f"{TINY.hash:08x}.*'small'"):
        Image.from_bytes(data, load("small"))
    with pytest.raises(ImageError, match="no Takt image"):
        Image.from_bytes(b"\x7fELF" + data[4:], TINY)
    with pytest.raises(ImageError, match="version 2"):
        Image.from_bytes(resealed(data[:8] + b"\2\0" + data[10:]), TINY)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"boot": {"MEM_E9": (0,)}}, "no queue 'MEM_E9'"),
        ({"boot": {"VXM0": ()}}, "VXM0 has no boot words"),
        ({"boot": {"VXM0": (0,) * 65}}, "VXM0 has 65 boot words, it holds 64"),
        ({"boot": {"VXM0": (0, 8)}}, "Word 1 of queue VXM0"),
        ({"memory": (Segment(8, 0, np.zeros((1, 8), np.uint8)),)}, "slice 8, the last one is 7"),
        ({"memory": (Segment(0, 63, np.zeros((2, 8), np.uint8)),)}, "2 words from 63 of MEM_W0.*0 to 63"),
        ({"memory": (Segment(0, 0, np.zeros((0, 8), np.uint8)),)}, "0 words"),
        ({"memory": (Segment(0, 0, np.zeros((1, 4), np.uint8)),)}, r"\(1, 4\).*\[n, 8\]"),
        ({"memory": tuple(Segment(0, at, np.zeros((2, 8), np.uint8)) for at in (4, 5))}, "word 5 of MEM_W0"),
        ({"inputs": (Region("x", 0, 60, 5),)}, "input 'x' has 5 words from 60"),
        ({"outputs": (Region("x", 0, 0, 1), Region("x", 1, 0, 1))}, "Two outputs have the name 'x'"),
        ({"outputs": (Region("\ud800", 0, 0, 1),)}, "cannot be printed"),
    ],
)
def test_an_image_is_within_its_chip(changes, sentence):
    with pytest.raises(ImageError, match=sentence):
        Image(**({"config": TINY, "boot": {}} | changes))


def test_segments_that_touch_become_one():
    rows = np.arange(32, dtype=np.uint8).reshape(4, 8)
    parts = (Segment(0, 6, rows[2:3]), Segment(0, 4, rows[:2]), Segment(0, 7, rows[3:], text=True))
    image = Image(TINY, {}, parts)
    assert [(s.addr, len(s.data), s.text) for s in image.memory] == [(4, 3, False), (7, 1, True)]
    assert image.memory[0].data.tolist() == rows[:3].tolist()
