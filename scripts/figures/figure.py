"""One figure of the project: how it is measured, what it is compared with, what it has to reach."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

RELATIONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt, "==": operator.eq}


@dataclass(frozen=True)
class Found:
    """A measured value, and by name what it is compared with."""

    value: object
    yardstick: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str):
        return self.value if name == "value" else self.yardstick[name]


@dataclass(frozen=True)
class Bound:
    """The measured `of` (the value, or a yardstick by name) stands in `relation` to `limit`, a number or the
    name of a yardstick, of which it may be a `share`."""

    relation: str
    limit: float | str
    of: str = "value"
    share: float = 1

    def holds(self, found: Found) -> bool:
        """Whether a measurement keeps it."""
        limit = self.limit
        if isinstance(limit, str):
            limit = found[limit] if self.share == 1 else self.share * found[limit]
        return bool(RELATIONS[self.relation](found[self.of], limit))

    def __str__(self) -> str:
        subject = "" if self.of == "value" else f"{self.of} "
        share = "" if self.share == 1 else f"{self.share:g} x "
        limit = self.limit if isinstance(self.limit, str) else f"{self.limit:,g}"
        return f"{subject}{self.relation} {share}{limit}"


@dataclass(frozen=True)
class Figure:
    """A figure. `measure` gives what was found; `long` ones are measured only on demand."""

    key: str
    unit: str
    measure: Callable[[], Found]
    goal: tuple[Bound, ...] = ()
    long: bool = False

    def row(self) -> dict:
        """Measures; a measurement that fails is a goal that is not met, with the error as its yardstick."""
        try:
            found = self.measure()
        except Exception as error:
            return self.empty() | {"yardstick": {"error": str(error) or repr(error)}, "met": False}
        met = all(bound.holds(found) for bound in self.goal) if self.goal else None
        return self.empty() | {"value": found.value, "yardstick": dict(found.yardstick), "met": met}

    def empty(self) -> dict:
        """The row before anything was measured."""
        goal = " and ".join(str(bound) for bound in self.goal)
        return {"key": self.key, "value": None, "unit": self.unit, "yardstick": {}, "goal": goal, "met": None}
