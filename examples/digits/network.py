"""The quantised network: int8 weights, and what it computes in plain numpy.

hidden = int8(relu(float32(images @ hidden_weights + hidden_bias) * hidden_scale)), nearest even, saturating;
logits = hidden @ logit_weights + logit_bias in int32; the class is the lane of the largest logit, the lowest of equals.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).with_name("weights.npz")
CLASSES = 10


@dataclass(frozen=True)
class Network:
    """Two layers. `float_correct` of the held-out images are classified right by the network in float."""

    #: int8 [64, 64] and [64, 10]; row k meets input k.
    hidden_weights: np.ndarray
    logit_weights: np.ndarray
    #: int32 [64] and [10], in units of the int32 sums.
    hidden_bias: np.ndarray
    logit_bias: np.ndarray
    #: float32: int8 steps of the hidden layer per unit of its int32 sums.
    hidden_scale: np.ndarray
    float_correct: np.ndarray

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Network":
        """The network in a file that `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def save(self, path: Path = WEIGHTS) -> None:
        """Writes all arrays to one file."""
        np.savez_compressed(path, **vars(self))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """int32 [n, 10] for images uint8 [n, 64]."""
        sums = images.astype(np.int32) @ self.hidden_weights.astype(np.int32) + self.hidden_bias
        scaled = np.maximum(sums.astype(np.float32) * self.hidden_scale, np.float32(0))
        hidden = np.clip(np.rint(scaled), -128, 127).astype(np.int32)
        return hidden @ self.logit_weights.astype(np.int32) + self.logit_bias

    def classify(self, images: np.ndarray) -> np.ndarray:
        """The digit of each image."""
        return self.logits(images).argmax(axis=1)
