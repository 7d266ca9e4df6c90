"""Trains the digits network in float, quantises it to int8, and writes examples/digits/weights.npz.

The data are the training part of `examples.digits.data`; the held-out images serve only for the accuracies.
"""

import argparse
from pathlib import Path

from examples.digits.data import digits
from examples.digits.network import WEIGHTS
from examples.digits.training import quantise, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file to write (default: %(default)s)")
    path = parser.parse_args().out
    known, held_out = digits()
    network = quantise(train(known.images, known.labels), known.images)
    network.save(path)
    total = len(held_out.labels)
    for name, found in (("float", network.classify_float), ("int8", network.classify)):
        right = int((found(held_out.images) == held_out.labels).sum())
        print(f"{name}: {right} of {total} held-out images right ({right / total:.2%})")


if __name__ == "__main__":
    main()
