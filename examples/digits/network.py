"""The network in int8 and in float, and what it computes in plain numpy.

hidden = int8(relu(float32(images @ hidden_weights + hidden_bias) * hidden_scale)), nearest even, saturating;
logits = hidden @ logit_weights + logit_bias in int32;
the class is the lane of the largest logit, the lowest of equals.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).with_name("weights.npz")
CLASSES = 10
#: The largest pixel.
PIXEL = 16
LANE_BITS = 6
LANES = 1 << LANE_BITS


@dataclass(frozen=True)
class Network:
    """Two layers in int8, and the float layers that they were made from."""

    #: int8 [64, 64] and [64, 10]; row k meets input k.
    hidden_weights: np.ndarray
    logit_weights: np.ndarray
    #: int32 [64] and [10], in units of the int32 sums.
    hidden_bias: np.ndarray
    logit_bias: np.ndarray
    #: float32: int8 steps of the hidden layer per unit of its int32 sums.
    hidden_scale: np.ndarray
    #: float32, for pixels from 0 to 1.
    float_hidden_weights: np.ndarray
    float_hidden_bias: np.ndarray
    float_logit_weights: np.ndarray
    float_logit_bias: np.ndarray

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Network":
        """The network in a file that `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def save(self, path: Path = WEIGHTS) -> None:
        """Writes all arrays to one file."""
        np.savez_compressed(path, **vars(self))

    def hidden(self, images: np.ndarray) -> np.ndarray:
        """int8 [n, 64] for images uint8 [n, 64]."""
        sums = images.astype(np.int32) @ self.hidden_weights.astype(np.int32) + self.hidden_bias
        scaled = np.maximum(sums.astype(np.float32) * self.hidden_scale, np.float32(0))
        return np.clip(np.rint(scaled), -128, 127).astype(np.int8)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """int32 [n, 10] for images uint8 [n, 64]."""
        return self.hidden(images).astype(np.int32) @ self.logit_weights.astype(np.int32) + self.logit_bias

    def classify(self, images: np.ndarray) -> np.ndarray:
        """The digit of each image."""
        return self.logits(images).argmax(axis=1)

    def classify_float(self, images: np.ndarray) -> np.ndarray:
        """The digit of each image, as the float network sees it."""
        hidden = np.maximum(images / PIXEL @ self.float_hidden_weights + self.float_hidden_bias, 0)
        return (hidden @ self.float_logit_weights + self.float_logit_bias).argmax(axis=1)

    def packed_bias(self) -> np.ndarray:
        """int32 [64]: what each lane adds to 64 times its sum, the least int32 where there is no class."""
        bias = np.full(LANES, np.iinfo(np.int32).min, np.int32)
        bias[:CLASSES] = (self.logit_bias << LANE_BITS) + LANES - 1 - np.arange(CLASSES)
        return bias
