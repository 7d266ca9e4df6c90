"""How the tiles of a product are divided over planes."""

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.graph import SUMS
from sw.compiler.vectors import Tile

#: What one plane does of a product at a time: the plane, tiles of n, tiles of k.
Share = tuple[str, list[int], list[int]]


class Division:
    """Gives each plane its share of a product of `rows` activation vectors."""

    def __init__(self, chip: Chip, dtype: DType, rows: int):
        self.chip, self.rows = chip, rows
        #: Cycles that a tile takes, and that one more term of a sum takes in the vector unit.
        self._busy = max(chip.beats(dtype), rows * chip.timing("ABC", dtype.is_float).turn)
        added = chip.timing("ADD", SUMS[dtype])
        self._added = added.d_chain - added.chain_skew
        self._again = chip.timing("ACC", dtype.is_float).turn
        edge = max(abs(unit.stop - chip.vxm) for unit in chip.planes.values())
        #: Cycles from a pass to the vector unit and back to a plane, without what is done there.
        self._way = 2 * edge + sum(chip.timing(name, dtype.is_float).d_func for name in ("ABC", "ACC"))

    def shares(self, tiles: list[list[Tile]], planes: list[str]) -> list[Share]:
        """The shares of the planes, for tiles by k and n.

        Columns that lie in memory go to the planes of their hemisphere. Otherwise so many planes divide the tiles of k
        of a sum, to be added up afterwards, and the other ones the tiles of n that all are done the soonest.
        """
        ks, ns = len(tiles), len(tiles[0])
        sides = [[_side(tile) for tile in row] for row in tiles]
        of_side = {side: [p for p in planes if self.chip.planes[p].hemisphere == side] for side in (0, 1)}
        if all(of_side.values()) and not any(None in row for row in sides):
            if ns > 1 and all(row == sides[0] for row in sides):
                shares = [(p, [j for j in range(ns) if sides[0][j] == s][i :: len(of_side[s])], list(range(ks)))
                          for s in (0, 1) for i, p in enumerate(of_side[s])]  # fmt: skip
                return [share for share in shares if share[1]]
            if ns == 1:
                shares = [(p, [0], [k for k in range(ks) if sides[k][0] == s][i :: len(of_side[s])])
                          for s in (0, 1) for i, p in enumerate(of_side[s])]  # fmt: skip
                return [share for share in shares if share[2]]

        def cycles(split: int) -> int:
            count, terms = -(-ns // (len(planes) // split)), -(-ks // split)
            return self._until(count, count, terms) + (split - 1) * self._added

        split = min((s for s in range(1, min(len(planes), ks) + 1) if len(planes) % s == 0), key=cycles)
        used = len(planes) // split
        return [
            (planes[p + s * used], list(range(p, ns, used)), list(range(s, ks, split)))
            for s in range(split)
            for p in range(min(used, ns))
        ]

    def _until(self, done: int, count: int, terms: int) -> int:
        """Cycles until the sums of `done` out of `count` tiles of n are complete."""
        # The next term of a sum has to wait until the accumulator has the last one.
        return (terms - 1) * max(count * self._busy, self._again) + done * self._busy

    def halves(self, shares: list[Share]) -> list[Share]:
        """Shares in two parts each, one after the other, where what reads the results can begin with the first part.

        A part takes its activations anew, which must cost less than what is gained. In the second part the planes come
        in reverse order, since the first one has the streams to choose from.
        """
        if self.rows > 1:
            return shares
        count, terms = max(len(js) for _, js, _ in shares), max(len(ks) for _, _, ks in shares)
        half = self._until(-(-count // 2), -(-count // 2), terms)
        gained = min(self._until(-(-count // 2), count, terms) - half, self._way)
        if gained <= max(2 * half - self._until(count, count, terms), 0) + terms:
            return shares
        early = [(plane, js[: -(-len(js) // 2)], ks) for plane, js, ks in shares]
        return early + [(plane, js[-(-len(js) // 2) :], ks) for plane, js, ks in reversed(shares) if len(js) > 1]


def _side(tile: Tile) -> int | None:
    """The hemisphere in which the columns of a tile lie from the beginning."""
    homes = [column.home for column in tile.columns if column.home is not None]
    sides = {home.table.region(home.row, home.tile)[0] for home in homes if home.table.sides > 1}
    return sides.pop() if len(sides) == 1 else None
