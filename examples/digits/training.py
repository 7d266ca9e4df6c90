"""From images to the int8 network: training in float, and quantisation afterwards.

Deterministic for one version of scikit-learn and one BLAS.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from examples.digits.network import PIXEL, Network

SEED = 1
#: Copies of every image, each moved by up to this many pixels both ways.
COPIES, REACH = 20, 0.5


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
        (64,),
        alpha=1e-2,
        batch_size=256,
        learning_rate_init=3e-3,
        max_iter=40,
        n_iter_no_change=40,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(inputs / PIXEL, np.tile(labels, COPIES + 1))


def quantise(network: MLPClassifier, images: np.ndarray) -> Network:
    """int8 weights with one scale per layer; the hidden layer's from its largest value over `images`."""
    weights, biases = network.coefs_, network.intercepts_
    steps = [np.abs(w).max() / 127 for w in weights]
    hidden_step = (images / PIXEL @ weights[0] + biases[0]).max() / 127
    units = steps[0] / PIXEL, steps[1] * hidden_step
    return Network(
        *(np.rint(w / step).astype(np.int8) for w, step in zip(weights, steps, strict=True)),
        *(np.rint(b / unit).astype(np.int32) for b, unit in zip(biases, units, strict=True)),
        hidden_scale=np.float32(units[0] / hidden_step),
        float_hidden_weights=weights[0].astype(np.float32),
        float_hidden_bias=biases[0].astype(np.float32),
        float_logit_weights=weights[1].astype(np.float32),
        float_logit_bias=biases[1].astype(np.float32),
    )
