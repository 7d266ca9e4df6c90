"""The digits job on the golden model: against plain numpy and the labels of scikit-learn."""

import numpy as np
import pytest

from examples.digits.data import HELD_OUT, digits
from examples.digits.job import Job, perform, speed
from examples.digits.network import CLASSES, LANES, Network
from examples.digits.training import quantise, train
from sw.arch.config import load
from sw.check.program import check
from sw.golden.chip import GoldenMachine
from sw.isa.table import run_cycles

CONFIG = load("small")
NETWORK = Network.load()
TRAIN, HELD = digits()
SEED = 360


@pytest.fixture(scope="module")
def outcome():
    return perform(GoldenMachine(CONFIG), Job.of(CONFIG, NETWORK, HELD_OUT), HELD.images)


def test_the_held_out_part_is_360_images_of_all_digits_that_training_never_sees():
    assert HELD.images.shape == (HELD_OUT, 64) and HELD.images.max() == 16
    assert np.ptp(np.bincount(HELD.labels)) <= 2
    assert not {image.tobytes() for image in HELD.images} & {image.tobytes() for image in TRAIN.images}


def test_accuracy_is_at_least_97_percent_and_close_to_float(outcome):
    right = (outcome.classes[:, 0] == HELD.labels).sum()
    in_float = (NETWORK.classify_float(HELD.images) == HELD.labels).sum()
    assert right >= 0.97 * HELD_OUT
    assert abs(int(in_float) - int(right)) <= 0.005 * HELD_OUT


def test_every_image_equals_plain_numpy(outcome):
    assert (outcome.hidden == NETWORK.hidden(HELD.images)).all()
    assert (outcome.logits == NETWORK.logits(HELD.images)).all()
    assert (outcome.classes == NETWORK.classify(HELD.images)[:, None]).all()
    assert (outcome.packed[:, CLASSES:] == np.iinfo(np.int32).min).all()


@pytest.mark.parametrize("images", (1, 2, 5))
def test_cycles_are_as_predicted_and_grow_by_one_an_image(images, outcome):
    job = Job.of(CONFIG, NETWORK, images)
    assert perform(GoldenMachine(CONFIG), job, HELD.images[:images]).cycles == job.cycles
    assert outcome.cycles - job.cycles == HELD_OUT - images
    assert job.last_write < job.cycles <= job.last_write + 2


@pytest.mark.parametrize("images", (1, HELD_OUT))
def test_the_checker_finds_nothing(images):
    assert check(Job.of(CONFIG, NETWORK, images).image) == []


def test_a_queue_needs_few_words():
    assert max(len(words) for words in Job.of(CONFIG, NETWORK, HELD_OUT).image.boot.values()) <= 8


def test_saturated_layers_and_ties():
    """Weights at the ends of their range, pixels beyond 16: sums saturate in int8, and equal logits meet."""
    rng = np.random.default_rng(SEED)
    extreme = Network(
        rng.choice(np.array([-128, -1, 0, 1, 127], np.int8), (LANES, LANES)),
        np.repeat(rng.integers(-128, 128, (LANES, CLASSES // 2), np.int8), 2, axis=1),
        rng.integers(-(1 << 20), 1 << 20, LANES, np.int32),
        np.repeat(rng.integers(-(1 << 20), 1 << 20, CLASSES // 2, np.int32), 2),
        np.float32(2**-11 / 3),
        *[np.zeros(1, np.float32)] * 4,
    )
    images = rng.integers(0, 128, (40, LANES), np.uint8)
    found = perform(GoldenMachine(CONFIG), Job.of(CONFIG, extreme, 40), images)
    assert {0, 127} <= set(found.hidden.ravel().tolist())
    assert (found.hidden == extreme.hidden(images)).all()
    assert (found.logits == extreme.logits(images)).all()
    assert (found.classes[:, 0] % 2 == 0).all()
    assert (found.classes == extreme.classify(images)[:, None]).all()


def test_a_differing_lane_is_seen(outcome):
    packed = outcome.packed.copy()
    packed[7, 63] ^= 1
    changed = type(outcome)(outcome.cycles, outcome.hidden, packed, outcome.classes)
    assert np.flatnonzero(~outcome.equal(changed)).tolist() == [7]


def test_the_job_can_be_repeated():
    machine, job = GoldenMachine(CONFIG), Job.of(CONFIG, NETWORK, 3)
    perform(machine, job, HELD.images[:3])
    assert speed(machine, job, 4) > 0
    assert run_cycles(CONFIG, job.cycles, 4) > 4 * job.cycles
    assert (machine.read("classes", 0, 3)[:, 0] == NETWORK.classify(HELD.images[:3])).all()


@pytest.mark.slow
def test_training_gives_a_network_as_good_as_the_committed_one():
    network = quantise(train(TRAIN.images, TRAIN.labels), TRAIN.images)
    right, committed = ((n.classify(HELD.images) == HELD.labels).sum() for n in (network, NETWORK))
    assert abs(int(right) - int(committed)) <= 0.01 * HELD_OUT
