"""How a tensor is shared."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """Share s has the elements `ends[s]` … `ends[s + 1] - 1` of an axis, at least one."""

    axis: int
    ends: tuple[int, ...]

    def key(self, share: int) -> tuple[slice, ...]:
        """What a share has, as an index of numpy."""
        return (*(slice(None),) * self.axis, slice(self.ends[share], self.ends[share + 1]))

    def on(self, axis: int) -> "Form":
        """The same shares of another axis."""
        return Form(axis, self.ends)


def even(size: int, shares: int, units: Iterable[int] = (1,)) -> tuple[int, ...] | None:
    """Ends of shares that are as even as possible, in whole units: of the first that leaves one for each share. None if
    none does."""
    for unit in units:
        count = -(-size // unit)
        if count >= shares:
            return tuple(min(size, unit * (share * count // shares)) for share in range(shares + 1))
    return None
