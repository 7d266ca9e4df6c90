"""The ONNX operators that have a lowering of their own, one module per theme."""

from sw.compiler.onnx.operators import activations, arithmetic, casts, indexing, layouts, logic, norms, products, reductions
from sw.compiler.onnx.registry import Lowering

THEMES = (products, arithmetic, logic, activations, norms, reductions, layouts, indexing, casts)
#: Every operator of ONNX's own domain that is lowered here, to its function.
OPERATORS: dict[str, Lowering] = {name: lowering for theme in THEMES for name, lowering in theme.TABLE.items()}
