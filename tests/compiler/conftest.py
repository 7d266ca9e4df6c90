"""What tests of the compiler share."""

import numpy as np
import pytest

SEED = 20261124


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same at every run; a failed test shows the seed."""
    print("seed", SEED)
    return np.random.default_rng(SEED)
