"""The two questions behind most rules: do two things meet, and has somebody provided what is used?"""

import numpy as np


def clashes(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of positions with equal keys, each with the one before it (an earlier position first)."""
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    return order[same], order[same + 1]


def superlane_groups(masks: np.ndarray, superlanes: int) -> list[int]:
    """Sets of superlanes, as masks, that occur in `masks` only together; of full masks it is one set."""
    distinct = np.unique(masks)
    groups: dict[bytes, int] = {}
    for r in range(superlanes):
        column = (distinct >> r & 1).astype(np.uint8).tobytes()
        groups[column] = groups.get(column, 0) | 1 << r
    return list(groups.values())


def uncovered(
    given: tuple[np.ndarray, np.ndarray, np.ndarray],
    used: tuple[np.ndarray, np.ndarray, np.ndarray],
    superlanes: int,
) -> np.ndarray:
    """For every use the superlanes, as a mask, in which nothing was given before.

    Both sides are arrays (key, time, mask): a gift serves the uses of its key that come later, in its
    superlanes.
    """
    key, time, mask = given
    used_key, used_time, used_mask = used
    lost = np.zeros(len(used_key), np.int64)
    for group in superlane_groups(np.concatenate((mask, used_mask)), superlanes):
        one = group & -group
        mine = np.flatnonzero(mask & one)
        users = np.flatnonzero(used_mask & one)
        order = mine[np.lexsort((time[mine], key[mine]))]
        keys, first = np.unique(key[order], return_index=True)
        at = np.searchsorted(keys, used_key[users])
        served = np.zeros(len(users), bool)
        known = np.flatnonzero(at < len(keys))
        known = known[keys[at[known]] == used_key[users[known]]]
        served[known] = time[order[first[at[known]]]] < used_time[users[known]]
        lost[users[~served]] |= group
    return lost


def mask_text(mask: int, full: int) -> str:
    """` in superlanes 0, 3`, or nothing if it is all of them."""
    if mask == full:
        return ""
    numbers = [str(r) for r in range(int(full).bit_length()) if int(mask) >> r & 1]
    return f" in superlane{'s' * (len(numbers) > 1)} {', '.join(numbers)}"
