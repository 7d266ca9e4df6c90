"""The handwritten digits of scikit-learn, in two parts that are always the same."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HELD_OUT = 360


@dataclass(frozen=True)
class Digits:
    """Images uint8 [n, 64] with pixels from 0 to 16, row by row, and the digit of each."""

    images: np.ndarray
    labels: np.ndarray


def digits() -> tuple[Digits, Digits]:
    """1,437 images to train with and 360 held out, the same share of every digit in both."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        images.astype(np.uint8), labels, test_size=HELD_OUT, stratify=labels, random_state=0
    )
    train, held_out, train_labels, held_out_labels = parts
    return Digits(train, train_labels), Digits(held_out, held_out_labels)
