"""What a chip was seen to do: records of its trace, boiled down."""

import numpy as np

from sw.asm.image import Image
from sw.trace import DRIVE
from tb.machine import CocotbMachine
from tests.programs import probes_control, probes_plane
from tests.programs.stage import Stage


def records(rtl: CocotbMachine, image: Image, kind: int = DRIVE) -> np.ndarray:
    """The trace of a program, drives or writes."""
    rtl.load(image)
    assert rtl.run(limit=20_000).fault is None
    found = rtl.trace().records
    return found[found["kind"] == kind]


def results(rtl: CocotbMachine, stage: Stage, code: int, since: int) -> tuple[list[int], list]:
    """(cycles, data) of what was driven on a stream after the cycle `since`."""
    found = records(rtl, stage.program.image())
    found = found[(found["item"] == code) & (found["cycle"] > since)]
    return sorted(set(found["cycle"].tolist())), found["data"].tolist()


def elements(data: np.ndarray, kind: int) -> list:
    """int32 or fp32 of a stream group, from the bytes of its four streams, uint8 [4, VL]."""
    return data.reshape(4, -1).T.copy().view((np.int32, np.float32)[kind]).ravel().tolist()


def sums(rtl: CocotbMachine, stage: Stage, kind: int) -> dict[int, list]:
    """Cycle -> the sums of all columns that ACC drove in it."""
    found, code = records(rtl, stage.program.image()), stage.config.streams + probes_plane.SUMS
    found = found[(found["item"] >= code) & (found["item"] < code + 4)]
    return {cycle: elements(found[found["cycle"] == cycle]["data"], kind) for cycle in set(found["cycle"].tolist())}


def marks(rtl: CocotbMachine, image: Image) -> tuple[list[tuple[int, int, list[int]]], int]:
    """[(cycle, number, superlanes)] of the marks in a trace, and the length of the run."""
    found = records(rtl, image)
    found = found[found["item"] == probes_control.MARK_STREAM]
    shown = [
        (cycle, int(rows["data"][0][0]), rows["superlane"].tolist())
        for cycle in sorted(set(found["cycle"].tolist()))
        for rows in [found[found["cycle"] == cycle]]
    ]
    return shown, rtl.run(limit=20_000).cycles
