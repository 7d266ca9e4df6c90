"""Fixed hypothesis settings for tests of the compiler."""

from hypothesis import HealthCheck, settings


def fixed(examples: int) -> settings:
    """The same examples in every run, however slow the machine is."""
    return settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
