"""The graph: typed tensor values of static shape, and a small builder in Python.

Every node is one of eleven primitives, each of which lowers to one intrinsic of the machine; everything else (softmax,
normalisations, activations, layouts) is a formula over them (`sw.compiler.formulas`). Shapes are known, and types are
those of the machine: truth values are INT8 masks, 0 or -1.

A graph may be spread over chips. Inputs and states are on a chip; what is computed is where its operands are, and
`transfer` brings a value to another chip.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.tensor import GraphError, Tensor, held, typed
from sw.isa.rows.vxm import ALU_TYPES
from sw.isa.table import instruction

#: Elementwise operations that compare; their result is a mask.
COMPARISONS = ("EQ", "NE", "LT", "LE", "GT", "GE")
#: Elementwise operations whose result is of a type that is given.
_TYPED = ("CONVERT", "BITCAST")
REDUCTIONS = ("MAX", "MIN", "SUM")
#: What becomes of integers that do not fit.
OVERFLOWS = ("sat", "mod")
#: The sum type of a dense product, by the type of its operands.
SUMS = {DType.INT8: DType.INT32, DType.FP16: DType.FP32}


class Graph:
    """Tensors in the order in which they were made, which is an order of evaluation.

    `inputs`, `states` and `outputs` map names to tensors. A state lives in its chip's memory from run to run:
    `stores` maps it to the value that it has in the next run. Of a graph that is one chip's part of another, `departures`
    maps numbers to tensors that go to other chips. Methods raise GraphError in a sentence.
    """

    def __init__(self, name: str = "graph"):
        self.name = name
        self.tensors: list[Tensor] = []
        self.inputs: dict[str, Tensor] = {}
        self.states: dict[str, Tensor] = {}
        self.stores: dict[str, Tensor] = {}
        self.outputs: dict[str, Tensor] = {}
        self.departures: dict[int, Tensor] = {}
        #: Chip on which inputs and states are made.
        self.chip = 0
        #: Name that new tensors get, such as the node of the model that they come from.
        self.scope = ""

    def input(self, name: str, shape: Sequence[int], dtype: DType | str) -> Tensor:
        """What the host writes before a run."""
        self._fresh(name, self.inputs, "input")
        self.inputs[name] = self._make("input", shape, typed(dtype), name=name)
        return self.inputs[name]

    def constant(self, values, dtype: DType | str | None = None) -> Tensor:
        """Numbers known now. `dtype` is by default that of the array; floats become FP32."""
        data, dtype = held(values, dtype)
        return self._make("constant", data.shape, dtype, values=data)

    def state(self, name: str, initial, dtype: DType | str | None = None) -> Tensor:
        """Memory that survives from run to run, holding `initial` before the first; read as it was before this run."""
        self._fresh(name, self.states, "state")
        data, dtype = held(initial, dtype)
        self.states[name] = self._make("state", data.shape, dtype, name=name, initial=data)
        return self.states[name]

    def store(self, name: str, value: Tensor) -> None:
        """What a state holds after this run: a tensor of its shape and type."""
        self._own(value, f"The state '{name}'")
        if name not in self.states:
            raise GraphError(f"There is no state '{name}'; there are {', '.join(self.states) or 'none'}.")
        state = self.states[name]
        if (value.shape, value.dtype) != (state.shape, state.dtype):
            raise GraphError(f"The state '{name}' is {state}, it cannot become {value}.")
        if value.chip not in (None, state.chip):
            raise GraphError(f"The state '{name}' is on chip {state.chip}, what it becomes on chip {value.chip}.")
        self.stores[name] = value

    def output(self, name: str, value: Tensor) -> Tensor:
        """What the host reads after a run."""
        self._fresh(name, self.outputs, "output")
        self._own(value, f"The output '{name}'")
        self.outputs[name] = value
        return value

    def elementwise(self, fn: str, *operands, to: DType | str | None = None, overflow: str = "sat") -> Tensor:
        """An operation of the vector unit on every element, operands broadcast as in numpy.

        fn : a row of the instruction table (`ADD`, `EXP2`, `SELECT` …). SELECT takes a mask, then the value where
             it is set and the value where it is not. BITCAST is the same bits as type `to` of equal width.
        operands : tensors of one type, or numbers, which become constants of that type
        to : type of the result of CONVERT and BITCAST
        overflow : of integers, `sat` or `mod`
        """
        if fn != "BITCAST" and fn not in ALU_TYPES:
            raise GraphError(f"The vector unit has no operation '{fn}'; it has {', '.join(ALU_TYPES)}.")
        if len(operands) != (count := _operand_count(fn)):
            raise GraphError(f"{self._where(fn)} has {len(operands)} operands, it takes {count}.")
        if not any(isinstance(operand, Tensor) for operand in operands):
            raise GraphError(f"{self._where(fn)} has no tensor among its operands.")
        if overflow not in OVERFLOWS:
            raise GraphError(f"{self._where(fn)} has the overflow '{overflow}', it must be {' or '.join(OVERFLOWS)}.")
        if fn in _TYPED:
            if to is None:
                raise GraphError(f"{self._where(fn)} needs a type to give.")
            to = typed(to)
        values = operands[1:] if fn == "SELECT" else operands
        dtype = next((operand.dtype for operand in values if isinstance(operand, Tensor)), DType.FP32)
        given = tuple(o if isinstance(o, Tensor) else self.constant(o, dtype) for o in operands)
        checked = given[1:] if fn == "SELECT" else given
        if fn == "SELECT" and given[0].dtype is not DType.INT8:
            raise GraphError(f"{self._where(fn)} chooses by {given[0]}, it must be a mask in int8.")
        for operand in checked:
            if operand.dtype is not dtype:
                raise GraphError(f"{self._where(fn)} has operands of types {dtype.text} and {operand.dtype.text}, convert one.")
        if fn == "BITCAST":
            if to.bits != dtype.bits:
                raise GraphError(f"{self._where(fn)} of {dtype.text} needs a type of {dtype.bits} bits.")
        elif dtype not in ALU_TYPES[fn]:
            known = ", ".join(t.text for t in ALU_TYPES[fn])
            raise GraphError(f"{self._where(fn)} does not work on {dtype.text}, it takes {known}.")
        result = DType.INT8 if fn in COMPARISONS else to if fn in _TYPED else dtype
        try:
            shape = np.broadcast_shapes(*(operand.shape for operand in given))
        except ValueError as error:
            shapes = " and ".join(str(list(operand.shape)) for operand in given)
            raise GraphError(f"{self._where(fn)} has operands of shapes {shapes}, which do not broadcast.") from error
        return self._make("elementwise", shape, result, given, fn=fn, overflow=overflow)

    def dot(self, a: Tensor, b: Tensor) -> Tensor:
        """Dense product over the last axis of both: [..., m, k] and [..., n, k] give [..., m, n].

        INT8 sums in INT32, FP16 in FP32: over each VL elements of k exactly and rounded once, then in order of k.
        Axes in front of the last two are equal in both, or `b` has none.
        """
        where = f"{self._where('dot')} of {a} and {b}"
        if a.dtype is not b.dtype or a.dtype not in SUMS:
            raise GraphError(f"{where}: both must be int8 or both fp16.")
        if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-1]:
            raise GraphError(f"{where}: they must have two axes or more, the last of one length.")
        if len(b.shape) > 2 and a.shape[:-2] != b.shape[:-2]:
            raise GraphError(f"{where}: their axes in front of the last two must be equal.")
        return self._make("dot", (*a.shape[:-1], b.shape[-2]), SUMS[a.dtype], (a, b))

    def reduce(self, fn: str, a: Tensor, axis: int) -> Tensor:
        """MAX, MIN or SUM over one axis, which stays with length 1; INT32 or FP32."""
        if fn not in REDUCTIONS:
            raise GraphError(f"There is no reduction '{fn}'; there are {', '.join(REDUCTIONS)}.")
        if a.dtype not in (DType.INT32, DType.FP32):
            raise GraphError(f"{self._where('reduce')} is over {a.dtype.text}, it takes int32 and fp32.")
        rank = len(a.shape)
        if not -rank <= axis < rank:
            raise GraphError(f"{self._where('reduce')} is over axis {axis} of {a}.")
        axis %= rank
        shape = tuple(1 if k == axis else size for k, size in enumerate(a.shape))
        return self._make("reduce", shape, a.dtype, (a,), fn=fn, axis=axis)

    def move(self, sources: Tensor | Iterable[Tensor], index: np.ndarray) -> Tensor:
        """Elements in another order: out[i] = (all sources flat, one after the other)[index[i]], or 0 where index < 0.

        All of reshape, transpose, slice, concat, split, expand and pad is this with an index made on the host.
        """
        sources = (sources,) if isinstance(sources, Tensor) else tuple(sources)
        index = np.asarray(index, np.int64)
        if len({source.dtype for source in sources}) != 1:
            raise GraphError(f"{self._where('move')} has sources of several types.")
        if index.max(initial=-1) >= (total := sum(source.size for source in sources)):
            raise GraphError(f"{self._where('move')} takes element {index.max()} of {total}.")
        return self._make("move", index.shape, sources[0].dtype, sources, index=index)

    def bytes(self, a: Tensor) -> Tensor:
        """Integers of n bytes [...] as INT8 [n, ...], the least significant first. It costs nothing on the chip, where the
        bytes of a vector come on streams of their own."""
        if a.dtype.is_float or a.dtype.streams == 1:
            raise GraphError(f"{self._where('bytes')} are of {a.dtype.text}, it takes int16 and int32.")
        return self._make("bytes", (a.dtype.streams, *a.shape), DType.INT8, (a,))

    def gather(self, table: Tensor, index: Tensor) -> Tensor:
        """Rows by number: table [n, width] (a constant, an input or a state) and index INT16 [m, 1] give [m, width].

        The index -1 gives zeros; another outside of the table stops the chip with a fault.
        """
        self._indexed("gather", table, index)
        return self._make("gather", (index.shape[0], table.shape[1]), table.dtype, (table, index))

    def scatter(self, state: Tensor, index: Tensor, rows: Tensor) -> Tensor:
        """A state with rows replaced: state [n, width], index INT16 [m, 1], rows [m, width] give [n, width].

        A row with the index -1 goes nowhere; another outside of the state stops the chip with a fault. Of rows with
        one index the last stays.
        """
        self._indexed("scatter", state, index)
        if state.op not in ("state", "scatter"):
            raise GraphError(f"{self._where('scatter')} is into {state}, it must be a state.")
        if rows.shape != (index.shape[0], state.shape[1]) or rows.dtype is not state.dtype:
            raise GraphError(f"{self._where('scatter')} writes {rows} into {state} by {index}, the shapes do not fit.")
        return self._make("scatter", state.shape, state.dtype, (state, index, rows))

    def transfer(self, a: Tensor, chip: int) -> Tensor:
        """The same value on another chip; itself where it is there."""
        if chip < 0:
            raise GraphError(f"{self._where('transfer')} goes to chip {chip}, chips are counted from 0.")
        return a if a.chip in (None, chip) else self._make("transfer", a.shape, a.dtype, (a,), chip=chip)

    def arrival(self, number: int, shape: Sequence[int], dtype: DType) -> Tensor:
        """What comes from another chip: departure `number` of its part."""
        return self._make("arrival", shape, dtype, number=number)

    def _indexed(self, what: str, table: Tensor, index: Tensor) -> None:
        if len(table.shape) != 2 or table.op not in ("constant", "input", "state", "scatter"):
            raise GraphError(f"{self._where(what)} is on {table}, it must be a constant, an input or a state of two axes.")
        if index.dtype is not DType.INT16 or len(index.shape) != 2 or index.shape[1] != 1:
            raise GraphError(f"{self._where(what)} has the index {index}, it must be int16 [m, 1].")

    def _where(self, what: str) -> str:
        return f"Node '{self.scope}': {what}" if self.scope else what

    def _fresh(self, name: str, known: dict, kind: str) -> None:
        if name in known:
            raise GraphError(f"There are two {kind}s '{name}'.")

    def _own(self, tensor: Tensor, where: str) -> None:
        if tensor.graph is not self:
            raise GraphError(f"{where} takes {tensor} of another graph.")

    def _make(self, op: str, shape, dtype: DType, operands: tuple[Tensor, ...] = (), name: str = "", **attributes) -> Tensor:
        shape = tuple(int(size) for size in shape)
        if any(size < 1 for size in shape):
            raise GraphError(f"{self._where(op)} has the shape {list(shape)}, every axis must be at least 1.")
        for operand in operands:
            self._own(operand, self._where(op))
        tensor = Tensor(self, op, shape, dtype, operands, attributes, name or self.scope, self._place(op, operands, attributes))
        self.tensors.append(tensor)
        return tensor


    def _place(self, op: str, operands: tuple[Tensor, ...], attributes: dict) -> int | None:
        """The chip of a new tensor."""
        if op in ("input", "state", "arrival"):
            return self.chip
        if op == "transfer":
            return attributes["chip"]
        chips = {operand.chip for operand in operands} - {None}
        if len(chips) > 1:
            known = " and ".join(map(str, sorted(chips)))
            raise GraphError(f"{self._where(op)} has operands on chips {known}, transfer them to one.")
        return chips.pop() if chips else None


def _operand_count(fn: str) -> int:
    """Operands of an elementwise operation, the mask of SELECT among them."""
    fields = () if fn == "BITCAST" else instruction(fn).fields
    return max(1, sum(name in ("a", "b", "m_from") for name in fields))
