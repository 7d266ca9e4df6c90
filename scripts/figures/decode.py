"""Decode steps as programs, and the models that they are of."""

import os
import time
from functools import cache
from pathlib import Path

import numpy as np

from sw.arch.config import load
from sw.compiler.compiled import Compiled, compile_graph
from sw.compiler.llama.bound import Bound, token_bound
from sw.compiler.llama.build import decoder
from sw.compiler.llama.checkpoint import Checkpoint, read_llama2c
from sw.compiler.llama.int8 import int8_decoder
from sw.compiler.llama.tokenizer import BOS
from sw.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
_GRAPHS = {"fp16": decoder, "int8": int8_decoder}


def stories() -> Path:
    """Folder of stories260K; FileNotFoundError in a sentence where it is missing."""
    folder = Path(os.environ.get("TAKT_MODELS") or ROOT.parent / "shared" / "models") / "stories260K"
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no {folder}; set TAKT_MODELS to the folder of models to judge by.")
    return folder


@cache
def model(name: str) -> Checkpoint:
    """`shipped`, or `260k`, which others trained."""
    if name == "shipped":
        return read_llama2c(ROOT / "examples" / "llama" / "model.bin")
    return read_llama2c(stories() / "stories260K.bin")


@cache
def program(name: str, precision: str, preset: str = "small") -> Compiled:
    """The decode step of a model on a chip."""
    config = load(preset)
    return compile_graph(_GRAPHS[precision](model(name), config.vl), config)


def bound(name: str, precision: str, preset: str = "small") -> Bound:
    """What a token takes at least."""
    return token_bound(model(name), load(preset), precision)


class Speaker:
    """A program on a machine that writes text, token by token.

    `seconds` has the wall time of every step so far. MachineError or CompileError where a run is not as predicted.
    """

    def __init__(self, compiled: Compiled, machine: Machine):
        self._compiled, self._machine = compiled, machine
        self.seconds: list[float] = []
        compiled.load(machine)

    def following(self, token: int) -> int:
        """The likeliest token behind `token` at the next position."""
        inputs = {"token": np.int16([[token]]), "position": np.int16([[len(self.seconds)]])}
        begin = time.monotonic()
        logits = self._compiled.step(self._machine, inputs)["logits"]
        self.seconds.append(time.monotonic() - begin)
        return int(logits.argmax())

    def text(self, tokens: int) -> list[int]:
        """Greedy text from the start: BOS and as many tokens."""
        written = [BOS]
        while len(written) <= tokens:
            written.append(self.following(written[-1]))
        return written
