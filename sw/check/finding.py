"""What the checker reports, and how the first of it is kept."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sw.check.issues import Issues


@dataclass(frozen=True)
class Finding:
    """One violation. `rule` is its name in `docs/checker.md`; `queue` and `cycle` (the issue cycle in it) say
    where, both empty for what no instruction does; `instructions` are the one or two involved; `sentence`
    tells all."""

    rule: str
    unit: str
    queue: str | None
    cycle: int | None
    instructions: tuple[str, ...]
    sentence: str
    #: Number of the chip in a system.
    chip: int | None = None

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}" if self.chip is None else f"{self.rule}, chip {self.chip}: {self.sentence}"


class Findings:
    """Collects findings; of each rule, and in the end of all, the `limit` earliest."""

    def __init__(self, issues: Issues, limit: int):
        self._issues, self._limit = issues, limit
        self._found: list[Finding] = []

    def add(
        self,
        rule: str,
        rows: np.ndarray,
        sentence: Callable[[int], str],
        partners: np.ndarray | None = None,
    ) -> None:
        """Reports the instructions `rows`, each with its partner; `sentence(i)` goes on after the name of
        rows[i]."""
        issues = self._issues
        for i in np.argsort(issues.issue[rows], kind="stable")[: self._limit].tolist():
            row = int(rows[i])
            names = [issues.text(row)] + ([] if partners is None else [issues.text(int(partners[i]))])
            queue = issues.queues[issues.queue[row]]
            text = f"{names[0]} {sentence(i)}."
            self._found.append(
                Finding(rule, queue.unit.name, queue.name, int(issues.issue[row]), tuple(names), text)
            )

    def add_place(self, rule: str, unit: str, sentence: str) -> None:
        """Reports something that no instruction does."""
        self._found.append(Finding(rule, unit, None, None, (), sentence))

    def first(self) -> list[Finding]:
        """The earliest findings in order of cycle; those without one come first."""
        return sorted(self._found, key=lambda f: -1 if f.cycle is None else f.cycle)[: self._limit]
