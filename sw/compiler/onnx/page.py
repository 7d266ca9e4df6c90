"""The page docs/onnx.md, from the tables of operators and types."""

from sw.compiler.onnx.operators import THEMES
from sw.compiler.onnx.types import ELEMENTS

_HEAD = """# ONNX operators

Made from the tables in `sw/compiler/onnx` by `make docs`. Every operator becomes a formula (`sw/compiler/formulas`) or a
layout (`sw/compiler/layout.py`) over the ten primitives of a graph. An operator that is not here is lowered if the
model, or ONNX itself, defines it as a function of operators that are: so Attention, RotaryEmbedding, CenterCropPad,
NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss, AffineGrid and others.

- Shapes are static. An input of the model that decides a shape or a parameter (the shape of Reshape, the axes of a
  reduction, known indices of GatherElements …) is compiled in; the backend compiles anew for each of its values.
- What depends on constants and shapes alone is computed by ONNX's reference evaluator when the model is imported. If and
  conditions must be such.
- FP16 operators compute in FP32 and round once, products excepted: their operands are FP16 and their sums FP32.
- FP32 products are three FP16 products of high and low parts, with an error near 2^-22 of the sum of magnitudes. A plane
  transposes a second operand of 32 elements or more, by products with unit vectors.
- Integers wrap as their types do up to 32 bits.

| type | stands in |
| --- | --- |
"""


def onnx_page() -> str:
    """The page."""
    rows = "".join(f"| {one.name} | {one.dtype.text} |\n" for one in ELEMENTS.values())
    return _HEAD + rows + "".join(_section(theme) for theme in THEMES)


def _section(theme) -> str:
    names = {}
    for name, lowering in theme.TABLE.items():
        names.setdefault(lowering, []).append(name)
    rows = "".join(f"| {', '.join(sorted(group))} | {_first_line(lowering)} |\n" for lowering, group in names.items())
    return f"\n## {_first_line(theme).rstrip('.')}\n\n| operator | lowered as |\n| --- | --- |\n{rows}"


def _first_line(what) -> str:
    return what.__doc__.strip().splitlines()[0]
