"""Choosing a token from logits on the host."""

from dataclasses import dataclass, field

import numpy as np


class GenerateError(ValueError):
    """A setting or a prompt that no text can be made with, in a sentence."""


@dataclass
class Sampler:
    """Chooses tokens: the likeliest at temperature 0, else at random among the likeliest that make up `top_p`.

    temperature : the logits are divided by it; 0 is greedy
    top_p : share of probability, in 0 to 1, that the fewest likeliest tokens must reach to be chosen from; 1 is all
    seed : of numpy's default generator; the same seed and logits give the same tokens

    GenerateError for a setting out of its range.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    _random: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self):
        if not (np.isfinite(self.temperature) and self.temperature >= 0):
            raise GenerateError(f"The temperature is {self.temperature}, it must be 0 or more.")
        if not 0 < self.top_p <= 1:
            raise GenerateError(f"The share top-p is {self.top_p}, it must lie above 0 and be at most 1.")
        self._random = np.random.default_rng(self.seed)

    def choose(self, logits: np.ndarray) -> int:
        """A token by logits [vocab]; at temperature 0 the lowest of the likeliest."""
        logits = np.asarray(logits, np.float64).reshape(-1)
        if not self.temperature:
            return int(logits.argmax())
        likeliest = np.argsort(-logits, kind="stable")
        shares = np.exp((logits[likeliest] - logits.max()) / self.temperature)
        reached = np.cumsum(shares / shares.sum())
        kept = min(int(np.searchsorted(reached, self.top_p)) + 1, len(reached))
        return int(likeliest[self._random.choice(kept, p=shares[:kept] / shares[:kept].sum())])
