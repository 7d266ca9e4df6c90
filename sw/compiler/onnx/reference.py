"""Constant nodes, computed by ONNX's own reference evaluator."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from sw.compiler.onnx.types import OnnxError


def attributes(proto: onnx.NodeProto) -> dict:
    """Attributes of a node as Python values; strings as text."""
    values = {one.name: helper.get_attribute_value(one) for one in proto.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def fold(proto: onnx.NodeProto, name: str, arrays: Sequence[np.ndarray | None], opset: int) -> list[np.ndarray]:
    """Outputs of a node whose inputs are all known, in the place of each output that it names."""
    used = [one for one in proto.input if one]
    function = helper.make_function(
        "takt", "fold", list(dict.fromkeys(used)), [one for one in proto.output if one], [proto],
        [helper.make_opsetid("", opset)])  # fmt: skip
    feeds = {one: array for one, array in zip(proto.input, arrays, strict=True) if one}
    try:
        with np.errstate(all="ignore"):
            results = iter(ReferenceEvaluator(function).run(None, feeds, {}))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise OnnxError(f"Node '{name}' ({proto.op_type}) of constants cannot be computed: {reason}") from error
    return [np.asarray(next(results)) if one else None for one in proto.output]
