"""What the instructions mean, for `tests.golden.reference`: loops over lanes, state kept in dictionaries.

Every function takes the chip, the instruction and its operands (uint8 [VL], stream by stream), changes the
chip's state, and gives what is driven; it raises Refused if the instruction cannot issue in this cycle.
"""

from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType
from sw.golden.dot import fp16_dot
from sw.golden.scalar import evaluate
from sw.isa.rows.mxm import load_columns
from sw.trace import WRITE


class Refused(Exception):
    """This instruction cannot issue here and now."""


@dataclass
class Vector:
    """Bytes (or other elements) of all lanes, and a mask of the superlanes in which they mean anything."""

    data: np.ndarray
    valid: int


def whole(chip, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Operands with zeros in unpowered superlanes."""
    return [chip.mix(chip.mask, x, np.zeros_like(x)) for x in inputs]


def change(chip, table: dict, key, data: np.ndarray, mask: int) -> None:
    """Replaces an entry in the superlanes of a mask."""
    old = table.get(key)
    if old is not None and mask != chip.full:
        data, mask = chip.mix(mask, data, old.data), mask | old.valid
    table[key] = Vector(data, mask)


def known(table: dict, key, mask: int) -> np.ndarray:
    """An entry that means something in the superlanes of a mask."""
    value = table.get(key)
    if value is None or mask & ~value.valid:
        raise Refused
    return value.data


def element(parts: list[np.ndarray]) -> np.ndarray:
    """uint32 lanes of bytes, low byte first."""
    return sum(part.astype(np.uint32) << np.uint32(8 * k) for k, part in enumerate(parts))


def parts_of(lanes: np.ndarray, count: int) -> list[np.ndarray]:
    return [(lanes >> np.uint32(8 * k)).astype(np.uint8) for k in range(count)]


def mem(chip, op, inputs):
    number, name, addr, now = chip.slice_numbers[chip.queue.unit.name], op.instr.name, op["addr"], chip.now
    access = now + chip.timing.access
    write = name in ("WRITE", "SCATTER")
    chip.take(number, "write" if write else "read", access)
    chip.take(number, addr >= chip.c.bank_words, access)
    if name == "READ":
        return [known(chip.memory, (number, addr), chip.mask)]
    if name == "WRITE":
        change(chip, chip.memory, (number, addr), inputs[0], chip.mask)
        chip.record(now, WRITE, number, addr, inputs[0], chip.mask)
        return []
    lanes, mask = chip.c.lanes, chip.mask
    powered = [r for r in range(chip.c.superlanes) if mask >> r & 1]
    offsets = {r: int(inputs[-2][r * lanes]) | int(inputs[-1][r * lanes]) << 8 for r in powered}
    if any(offset != 0xFFFF and offset >= op["rows"] for offset in offsets.values()):
        raise Refused
    out = np.zeros(chip.c.vl, np.uint8)

    def later():
        for r, offset in offsets.items():
            part = slice(r * lanes, (r + 1) * lanes)
            if offset != 0xFFFF and write:
                change(chip, chip.memory, (number, addr + offset), inputs[0], 1 << r)
                chip.record(access, WRITE, number, addr + offset, inputs[0], 1 << r)
            elif offset != 0xFFFF:
                out[part] = chip.memory[number, addr + offset].data[part]

    # Runs before the result leaves, and before the instructions of the access cycle.
    chip.later.setdefault(access, []).append(later)
    return [] if write else [out]


def vxm(chip, op, inputs):
    alu, dtype, name = chip.queue.number, DType(op["dtype"]), op.instr.name
    operands, inputs = [], list(inputs)
    sources = [op.values.get("a_from"), op.values.get("b_from"), None]
    if name == "SELECT":
        sources[2] = op["m_from"] + 1
    for source in sources:
        if source is None:
            operands.append(None)
        elif source == 0:
            operands.append(element([inputs.pop(0) for _ in range(dtype.streams)]))
        elif source == 3:
            operands.append(np.full(chip.c.vl, op["imm"], np.uint32))
        else:
            neighbour = alu + (-1 if source == 1 else 1)
            operands.append(known(chip.chain, (neighbour, chip.now + chip.timing.chain_skew), chip.mask))
    chip.take("alu", alu, chip.now + chip.timing.d_chain)
    to = DType(op["to"]) if name == "CONVERT" else dtype
    a, b, mask = operands
    result = evaluate(name, dtype, a, b, mask=mask, to=to, modular=bool(op.values.get("overflow", 0)))
    chip.chain[alu, chip.now + chip.timing.d_chain] = Vector(result, chip.mask)
    return parts_of(result, to.streams) if op["out"] else []


def weights(chip, op, inputs):
    plane, vl = chip.queue.unit.name, chip.c.vl
    if op.instr.name == "LW":
        size = 1 + op["dtype"]
        for j in range(load_columns(op.values)):
            column = element(inputs[j * size : (j + 1) * size])
            change(chip, chip.buffer, (plane, op["col"] + j), column, chip.mask)
        return []
    mask = chip.mask
    state = [known(chip.buffer, (plane, column), mask).copy() for column in range(vl)]

    def later():
        for column in range(vl):
            change(chip, chip.array, (plane, column), state[column], mask)

    chip.later.setdefault(chip.now + chip.timing.d_func, []).append(later)
    return []


def activations(chip, op, inputs):
    plane, fp16 = chip.queue.unit.name, bool(op["dtype"])
    columns = [known(chip.array, (plane, column), chip.mask) for column in range(chip.c.vl)]
    if inputs:
        change(chip, chip.held, plane, element(inputs), chip.mask)
    a = whole(chip, [known(chip.held, plane, chip.mask)])[0]
    w = np.stack(whole(chip, columns), axis=1)
    if fp16:
        sums = fp16_dot(a[None].astype(np.uint16), w.astype(np.uint16))[0]
    else:
        a, w = (x.astype(np.uint8).astype(np.int8).astype(np.int64) for x in (a, w))
        sums = (a @ w).astype(np.int32).view(np.uint32)
    chip.passes[plane, chip.now + chip.timing.d_func] = Vector(sums, chip.full)
    return []


def results(chip, op, inputs):
    plane, fp16, row = chip.queue.unit.name, bool(op["dtype"]), (chip.queue.unit.name, op["row"])
    mode = ("PASS", "SET", "ADD", "ADD_OUT", "READ")[op["mode"]]
    value = None if mode == "READ" else known(chip.passes, (plane, chip.now), chip.full)
    if mode in ("ADD", "ADD_OUT", "READ"):
        acc = known(chip.sums, row, chip.full)
        if mode == "READ":
            value = acc
        else:
            value = evaluate("ADD", DType.FP32 if fp16 else DType.INT32, acc, value, modular=True)
    if mode in ("SET", "ADD"):
        change(chip, chip.sums, row, value, chip.mask)
        return []
    return parts_of(value, 4)


def shift(chip, op, inputs):
    if op.instr.name == "SELECT_MAP":
        change(chip, chip.maps, chip.queue.name, inputs[0], chip.mask)
        return []
    (x,), n, vl = whole(chip, inputs), op["n"], chip.c.vl
    lane = [x[i - n] if i >= n else 0 for i in range(vl)], [x[i + n] if i + n < vl else 0 for i in range(vl)]
    if op["mode"] < 2:
        return [np.array(lane[op["mode"]], np.uint8)]
    select = known(chip.maps, chip.queue.name, chip.mask)
    choices = [{0: x[i], 1: lane[0][i], 2: lane[1][i]}.get(int(select[i]), 0) for i in range(vl)]
    return [np.array(choices, np.uint8)]


def permute(chip, op, inputs):
    if op.instr.name == "MAP":
        change(chip, chip.maps, chip.queue.name, element(inputs), chip.mask)
        return []
    (x,), index = whole(chip, inputs), known(chip.maps, chip.queue.name, chip.mask)
    return [np.array([x[i] if i < chip.c.vl else 0 for i in index], np.uint8)]


def distribute(chip, op, inputs):
    x, index = inputs
    lanes = chip.c.lanes
    out = [x[i // lanes * lanes + at] if at < lanes else 0 for i, at in enumerate(index)]
    return [np.array(out, np.uint8)]


def rotate(chip, op, inputs):
    n, lanes = len(inputs), chip.c.lanes
    out = []
    for x in inputs:
        for j in range(n):
            y = np.zeros_like(x)
            for start in range(0, chip.c.vl, lanes):
                for group in range(start, start + lanes // n * n, n):
                    y[group : group + n] = np.roll(x[group : group + n], -j)
            out.append(y)
    return out


def transpose(chip, op, inputs):
    lanes = chip.c.lanes
    out = np.zeros((lanes, chip.c.vl), np.uint8)
    for i in range(lanes):
        for k in range(chip.c.vl):
            out[i, k] = inputs[k % lanes][k // lanes * lanes + i]
    return list(out)


def reduce(chip, op, inputs):
    name, dtype = ("MAX", "MIN", "ADD")[op["fn"]], (DType.INT32, DType.FP32)[op["dtype"]]

    def tree(values):
        while len(values) > 1:
            pairs = zip(values[::2], values[1::2], strict=False)
            odd = [values[-1]] if len(values) % 2 else []
            values = [evaluate(name, dtype, a, b, modular=True) for a, b in pairs] + odd
        return values[0]

    lanes = element(whole(chip, inputs))
    total = tree([tree(list(lanes[r : r + chip.c.lanes, None])) for r in range(0, chip.c.vl, chip.c.lanes)])
    return parts_of(np.repeat(total, chip.c.vl), 4)


UNITS = {
    "MEM": mem,
    "VXM": vxm,
    "MXM_W": weights,
    "MXM_A": activations,
    "MXM_R": results,
    "SXM_SHIFT": shift,
    "SXM_PERMUTE": permute,
    "SXM_DISTRIBUTE": distribute,
    "SXM_ROTATE": rotate,
    "SXM_TRANSPOSE": transpose,
    "SXM_REDUCE": reduce,
}
