"""Trains the digits network in float, quantises it to int8, and writes examples/digits/weights.npz.

The data are the training part of `examples.digits.data`; the held-out images are looked at once, for the two accuracies
that are printed. Deterministic for one version of scikit-learn and one BLAS.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from examples.digits.data import digits
from examples.digits.network import WEIGHTS, Network

SEED = 1
#: Copies of every image, each moved by up to this many pixels both ways.
COPIES, REACH = 20, 0.5
#: Pixels run from 0 to 16; the float network sees them from 0 to 1, the int8 network as they are.
PIXEL = 16


def moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Float images [n, 64], each shifted by a random part of a pixel, linearly interpolated."""
    padded = np.pad(images.reshape(-1, 8, 8).astype(float), ((0, 0), (1, 1), (1, 1)))
    for axis in (1, 2):
        by = rng.uniform(-REACH, REACH, (len(images), 1, 1))
        neighbour = np.where(by > 0, np.roll(padded, 1, axis), np.roll(padded, -1, axis))
        padded += np.abs(by) * (neighbour - padded)
    return padded[:, 1:9, 1:9].reshape(-1, 64)


def train(images: np.ndarray, labels: np.ndarray) -> MLPClassifier:
    """The float network 64-64-10 with RELU."""
    rng = np.random.default_rng(SEED)
    inputs = np.concatenate([images, *(moved(images, rng) for _ in range(COPIES))])
    network = MLPClassifier(
        (64,), alpha=1e-2, batch_size=256, learning_rate_init=3e-3, max_iter=40, n_iter_no_change=40, random_state=SEED
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(inputs / PIXEL, np.tile(labels, COPIES + 1))


def quantise(network: MLPClassifier, images: np.ndarray, correct: int) -> Network:
    """int8 weights with one scale per layer; the hidden layer's scale from its largest value over `images`."""
    weights, biases = network.coefs_, network.intercepts_
    steps = [np.abs(w).max() / 127 for w in weights]
    hidden_step = (images / PIXEL @ weights[0] + biases[0]).max() / 127
    units = steps[0] / PIXEL, steps[1] * hidden_step
    return Network(
        *(np.rint(w / step).astype(np.int8) for w, step in zip(weights, steps, strict=True)),
        *(np.rint(b / unit).astype(np.int32) for b, unit in zip(biases, units, strict=True)),
        hidden_scale=np.float32(units[0] / hidden_step),
        float_correct=np.int64(correct),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file to write (default: %(default)s)")
    path = parser.parse_args().out
    known, held_out = digits()
    network = train(known.images, known.labels)
    correct = int((network.predict(held_out.images / PIXEL) == held_out.labels).sum())
    quantised = quantise(network, known.images, correct)
    quantised.save(path)
    int8 = int((quantised.classify(held_out.images) == held_out.labels).sum())
    for name, right in (("float", correct), ("int8", int8)):
        print(f"{name}: {right} of {len(held_out.labels)} held-out images right ({right / len(held_out.labels):.2%})")


if __name__ == "__main__":
    main()
