"""In which form a primitive takes its operands, and gives its result."""

from collections.abc import Mapping
from dataclasses import dataclass

from sw.compiler.graph import Tensor
from sw.compiler.spread.columns import Columns
from sw.compiler.spread.form import Form
from sw.compiler.spread.values import Unfit, Values, state_of


@dataclass(frozen=True)
class Plan:
    """A primitive on shares of its operands, or on all of those whose form is None.

    form : of the result; None if it is whole
    combine : SUM, MAX or MIN if each share's result is only a part of the whole one
    """

    form: Form | None
    operands: tuple[Form | None, ...]
    combine: str = ""


class Rules:
    """Plans for all primitives but `move`.

    columns : how products of whole operands are shared, None if they are not
    inner : whether a product over a shared axis is a sum over chips also where its other operand is free; it is gathered
        otherwise
    wishes : forms that states could have, because what is written to them has it
    """

    def __init__(self, values: Values, columns: Columns | None, inner: bool):
        self._values, self._columns, self._inner = values, columns, inner
        self.wishes: dict[str, Form] = {}

    def plan(self, tensor: Tensor) -> Plan:
        """Forms of a tensor and its operands. Unfit if a state cannot be shared as it is."""
        match tensor.op:
            case "elementwise":
                return self._elementwise(tensor)
            case "dot":
                return self._dot(tensor)
            case "reduce":
                (form,) = self._forms(tensor)
                over = form is not None and form.axis == tensor.attributes["axis"]
                return Plan(None if over else form, (form,), tensor.attributes["fn"] if over else "")
            case "bytes":
                (form,) = self._forms(tensor)
                return Plan(form and form.on(form.axis + 1), (form,))
            case "gather":
                return self._gather(tensor)
        return self._scatter(tensor)

    def _forms(self, tensor: Tensor) -> list[Form | None]:
        return [self._values.form.get(operand) for operand in tensor.operands]

    def _elementwise(self, tensor: Tensor) -> Plan:
        """The largest shared operand decides, and one that is not free before all that are."""
        rank = len(tensor.shape)
        shared: Mapping[Tensor, Form] = {
            operand: form.on(form.axis + rank - len(operand.shape))
            for operand, form in zip(tensor.operands, self._forms(tensor), strict=True)
            if form
        }
        if not shared:
            return Plan(None, (None,) * len(tensor.operands))
        form = shared[max(shared, key=lambda operand: (not self._values.free(operand), operand.size))]
        operands = []
        for operand in tensor.operands:
            axis = form.axis - rank + len(operand.shape)
            operands.append(form.on(axis) if axis >= 0 and operand.shape[axis] > 1 else None)
        return Plan(form, tuple(operands))

    def _dot(self, tensor: Tensor) -> Plan:
        a, b = tensor.operands
        (first, other), k = self._forms(tensor), len(a.shape) - 1
        kb = len(b.shape) - 1
        if kb > 1:
            for form in (first, other):
                if form and form.axis < k - 1:
                    return Plan(form, (form, form))
        if first and first.axis < k:
            return Plan(first, (first, None))
        if first and (self._inner or not self._values.free(b)):
            return Plan(None, (first, first.on(kb)), "SUM")
        if not first and other and other.axis == kb:
            return Plan(None, (other.on(k), other), "SUM")
        if not first and other:
            return Plan(other.on(k), (None, other))
        if self._columns and (form := self._columns.shared(tensor)):
            return Plan(form, (None, form.on(kb - 1)) if form.axis == k else (form, form))
        return Plan(None, (None, None))

    def _gather(self, tensor: Tensor) -> Plan:
        table, index = self._forms(tensor)
        if table and table.axis == 1 and not self._values.free(tensor.operands[0]):
            return Plan(table, (table, None))
        if index and index.axis == 0:
            return Plan(index, (None, index))
        return Plan(None, (None, None))

    def _scatter(self, tensor: Tensor) -> Plan:
        name = state_of(tensor)
        state, _, rows = self._forms(tensor)
        if state is None:
            if rows and rows.axis == 1:
                self.wishes[name] = rows
            return Plan(None, (None, None, None))
        if state.axis != 1:
            raise Unfit(name)
        return Plan(state, (state, None, state))
