"""The optimisation: windows of text, schedule, loss, and a state on disk from which a cut run goes on."""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .model import CONTEXT, Llama

SEED = 1611
BATCH = 16
RATE, WARMUP, FALL, DECAY, BETAS, CLIP = 6e-3, 200, 0.4, 0.1, (0.9, 0.99), 1.0
#: Steps from one line of the log to the next.
INTERVAL = 250
#: What stands in a target where nothing is to be predicted.
NOTHING = -100


@dataclass(frozen=True)
class Line:
    """One line of the log; losses in nats a token, the training loss as the mean since the last line."""

    step: int
    train_loss: float
    validation_loss: float
    seconds: float

    def text(self) -> str:
        return "{},{:.4f},{:.4f},{:.0f}".format(*astuple(self))

    @staticmethod
    def header() -> str:
        return ",".join(field.name for field in fields(Line))


class Text:
    """A row of chapters, each begun with BOS; a window may start before any verse and is begun with BOS as well."""

    def __init__(self, chapters: list[list[list[int]]], bos: int) -> None:
        tokens, starts = [], []
        for chapter in chapters:
            tokens.append(bos)
            for verse in chapter:
                starts.append(len(tokens))
                tokens += verse
        self.bos = bos
        self.tokens = torch.tensor(tokens)
        self.starts = torch.tensor([start for start in starts if start + CONTEXT <= len(tokens)])

    def windows(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets [batch, context] of a step, which depend on its number alone."""
        order = torch.Generator().manual_seed(SEED * 1_000_000 + step)
        start = self.starts[torch.randint(len(self.starts), (BATCH, 1), generator=order)]
        targets = self.tokens[start + torch.arange(CONTEXT)]
        return torch.cat((torch.full((BATCH, 1), self.bos), targets[:, :-1]), 1), targets


def loss(model: torch.nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=NOTHING)


def validation(model: torch.nn.Module, passages: list[list[int]], bos: int) -> float:
    """Mean loss over all tokens of the passages, each begun with BOS."""
    inputs = torch.full((len(passages), CONTEXT), bos)
    targets = torch.full((len(passages), CONTEXT), NOTHING)
    for row, passage in enumerate(passages):
        inputs[row, 1 : len(passage)] = torch.tensor(passage[:-1])
        targets[row, : len(passage)] = torch.tensor(passage)
    with torch.no_grad():
        return loss(model, inputs, targets).item()


def rate(step: int, steps: int) -> float:
    """Learning rate: a linear rise, the top, and over the last `FALL` of the steps a quarter of a cosine down to zero.

    Until it falls it does not depend on `steps`, so that a state saved before may go on to another number of steps.
    """
    rise, fall = (step + 1) / WARMUP, (steps - step) / (FALL * steps)
    return RATE * min(1.0, rise, math.sin(math.pi / 2 * min(1.0, fall)))


class Training:
    """A model on its way, with the optimiser's state and the log so far."""

    def __init__(self, vocabulary: int, steps: int) -> None:
        torch.manual_seed(SEED)
        self.steps = steps
        self.model = Llama(vocabulary)
        weights = list(self.model.parameters())
        decayed = {"params": [w for w in weights if w.dim() > 1], "weight_decay": DECAY}
        plain = {"params": [w for w in weights if w.dim() == 1], "weight_decay": 0.0}
        self.optimizer = torch.optim.AdamW([decayed, plain], betas=BETAS, fused=True)
        self.step = 0
        self.log: list[Line] = []

    def save(self, path: Path) -> None:
        log = [astuple(line) for line in self.log]
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step, "log": log}
        torch.save(state, path)

    def load(self, path: Path) -> None:
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.log = state["step"], [Line(*line) for line in state["log"]]

    def run(self, text: Text, passages: list[list[int]], clock) -> Iterator[Line]:
        """Trains to the end; yields a line each `INTERVAL` steps, timed by `clock` from the start of this run."""
        before = self.log[-1].seconds if self.log else 0.0
        begun = clock()
        fast = torch.compile(self.model)
        total = 0.0
        while self.step < self.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = rate(self.step, self.steps)
            self.optimizer.zero_grad()
            found = loss(fast, *text.windows(self.step))
            found.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            self.optimizer.step()
            self.step += 1
            total += found.item()
            if self.step % INTERVAL == 0:
                held_out = validation(self.model, passages, text.bos)
                self.log.append(Line(self.step, total / INTERVAL, held_out, before + clock() - begun))
                total = 0.0
                yield self.log[-1]
