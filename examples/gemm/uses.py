"""In which order a product uses its weight tiles, and when."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """A weight tile (k, n) that meets rows `row` … `row + rows - 1` in passes from cycle `start` on; the
    sums are kept in accumulator rows from `acc` on."""

    k: int
    n: int
    row: int
    rows: int
    acc: int
    start: int


def uses(rows: int, k_tiles: int, n_tiles: int, acc_rows: int, loads: int, turn: int) -> list[Use]:
    """The uses of a product with `rows` rows, the first from cycle 0 on.

    A use lasts as long as its passes, at least the `loads` cycles in which the next weights come, and so
    long that an accumulator row is met again after `turn` cycles or more. Short blocks take several column
    tiles at a time, which fills that wait.
    """
    found, start = [], 0
    for row in range(0, rows, acc_rows):
        block = min(acc_rows, rows - row)
        group = max(1, acc_rows // block) if block < loads * 4 else 1
        for first in range(0, n_tiles, group):
            tiles = range(first, min(first + group, n_tiles))
            step = max(block, loads, -(-turn // len(tiles)))
            for k in range(k_tiles):
                for n in tiles:
                    found.append(Use(k, n, row, block, (n - first) * block, start))
                    start += step
    return found
