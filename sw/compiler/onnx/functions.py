"""Operators that are defined by others: functions of a model, and those by which ONNX defines its operators."""

from collections.abc import Iterator, Sequence

import onnx
from onnx import defs, helper

from sw.compiler.onnx.node import Value
from sw.compiler.onnx.types import OnnxError

#: Names of ONNX's own domain.
OWN_DOMAINS = ("", "ai.onnx")


def since(op: str, opset: int) -> int:
    """Version of the operator set in which an operator got the form that it has in `opset`; OnnxError if it has none."""
    if not defs.has(op, opset, ""):
        known = f"sets up to {defs.onnx_opset_version()} are known"
        raise OnnxError(f"The model uses {op} of operator set {opset}, which does not have it; {known}.")
    return defs.get_schema(op, opset, "").since_version


def own_function(proto: onnx.NodeProto, opset: int, values: Sequence[Value | None]) -> onnx.FunctionProto | None:
    """The function by which ONNX defines this node, or None."""
    domain = "" if proto.domain in OWN_DOMAINS else proto.domain
    if not defs.has(proto.op_type, opset, domain):
        return None
    schema = defs.get_schema(proto.op_type, opset, domain)
    if schema.has_function:
        version = max(v for v in schema.function_opset_versions if v <= opset)
        function = onnx.FunctionProto.FromString(schema.get_function_with_opset_version(version))
        function.attribute_proto.extend(one.default_value for one in schema.attributes.values() if one.default_value.name)
        return function
    if schema.has_context_dependent_function:
        version = max(v for v in schema.context_dependent_function_opset_versions if v <= opset)
        types = [_type(value).SerializeToString() if value else b"" for value in values]
        text = schema.get_context_dependent_function_with_opset_version(version, proto.SerializeToString(), types)
        return onnx.FunctionProto.FromString(text)
    return None


def body(function: onnx.FunctionProto, call: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a function with the attributes of one call in place."""
    given = {one.name: one for one in (*function.attribute_proto, *call.attribute)}
    for node in function.node:
        yield _with_attributes(node, given)


def bound(node: onnx.NodeProto, name: str) -> onnx.GraphProto:
    """The graph that is an attribute of a node."""
    return next(one.g for one in node.attribute if one.name == name)


def _with_attributes(node: onnx.NodeProto, given: dict[str, onnx.AttributeProto]) -> onnx.NodeProto:
    result = onnx.NodeProto()
    result.CopyFrom(node)
    del result.attribute[:]
    for one in node.attribute:
        copy = result.attribute.add()
        if one.ref_attr_name:
            if one.ref_attr_name not in given:
                result.attribute.pop()
                continue
            copy.CopyFrom(given[one.ref_attr_name])
            copy.name = one.name
            continue
        copy.CopyFrom(one)
        if one.HasField("g"):
            inner = [_with_attributes(nested, given) for nested in one.g.node]
            del copy.g.node[:]
            copy.g.node.extend(inner)
    return result


def _type(value: Value) -> onnx.TypeProto:
    code = value.element.code if value.element else helper.np_dtype_to_tensor_dtype(value.array.dtype)
    return helper.make_tensor_type_proto(code, value.shape)
