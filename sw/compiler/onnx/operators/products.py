"""Dense products."""

import math

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas import integers
from sw.compiler.formulas.elementary import divide_exact, modular
from sw.compiler.formulas.products import dot_fp16, dot_int8, matmul
from sw.compiler.formulas.reductions import reduce
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import FLOAT16, INT8, INT32, UINT8

TABLE = Table()


@TABLE.operator("MatMul")
def mat_mul(node: Node) -> Value:
    """As numpy's matmul."""
    return node.give(matmul(*_operands(node)))


@TABLE.operator("Gemm")
def gemm(node: Node) -> Value:
    """alpha a b + beta c, each of a and b as it is or transposed."""
    a, b, product = _operands(node)
    a = layout.swap_last(a) if node.get("transA") else a
    b = b if node.get("transB") else layout.swap_last(b)
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    if not node.element().is_float and (alpha, beta) != (1.0, 1.0):
        raise node.error(f"of integers has alpha {alpha} and beta {beta}; both must be 1.")
    result = product(a, b)
    result = result if alpha == 1.0 else result * alpha
    if node.has(2):
        c = node.real(2) if node.element().is_float else node.whole(2)
        result = modular("ADD", result, c if beta == 1.0 else c * beta)
    return node.give(result)


def _operands(node: Node) -> tuple:
    """Inputs 0 and 1 and the product for their type."""
    if node.element() is FLOAT16:
        return node.tensor(0), node.tensor(1), dot_fp16
    if node.element().is_float:
        return node.real(0), node.real(1), node.product
    return node.whole(0), node.whole(1), _dot_int32


def _dot_int32(a: Tensor, b: Tensor) -> Tensor:
    """INT32 product modulo 2^32 on the vector unit."""
    left = layout.reshape(a, (*a.shape[:-1], 1, a.shape[-1]))
    right = layout.reshape(b, (*b.shape[:-2], 1, *b.shape[-2:]))
    products = modular("MUL", left, right)
    return layout.reshape(reduce("SUM", products, [-1]), products.shape[:-1])


@TABLE.operator("MatMulInteger")
def mat_mul_integer(node: Node) -> Value:
    """int8 or uint8 with zero points, exact in int32."""
    return node.give(_integer_product(node, (0, 2), (1, 3)), INT32)


@TABLE.operator("QLinearMatMul")
def q_linear_mat_mul(node: Node) -> Value:
    """The integer product, scaled and quantized."""
    sums = _integer_product(node, (0, 2), (3, 5)).to("fp32")
    scale = divide_exact(_along_rows(node, 1, node.real(1)) * node.real(4), node.real(6))
    target = node.element(7)
    return node.keep(integers.quantize(sums * scale, node.whole(7), *target.limits).to(target.dtype), target)


def _integer_product(node: Node, a: tuple[int, int], b: tuple[int, int]) -> Tensor:
    """Product of two inputs, each (its place, the place of its zero point), in INT32."""
    (left, left_zero), (right, right_zero) = (_signed(node, *places) for places in (a, b))
    left_zero = None if left_zero is None else _along_rows(node, a[1], left_zero)
    return matmul(left, right, lambda x, y: dot_int8(x, y, left_zero, right_zero))


def _along_rows(node: Node, place: int, parameter: Tensor) -> Tensor:
    """A parameter of the left operand, one for each row, as a column."""
    shape = node.shape(place)
    return layout.reshape(parameter, (*shape, 1)) if len(shape) == 1 and shape[0] > 1 else parameter


def _signed(node: Node, place: int, zero: int) -> tuple[Tensor, Tensor | None]:
    """An input as INT8 and its zero point as INT32: a uint8 and its zero point both less 128."""
    kind = node.element(place)
    if kind not in (INT8, UINT8):
        raise node.error(f"has input {place} of {kind.name}; possible are INT8 and UINT8.")
    known_zero = node.has(zero) and node.is_known(zero) and not node.known(zero).any()
    if kind is INT8:
        return node.tensor(place), node.whole(zero) if node.has(zero) and not known_zero else None
    point = node.whole(zero) if node.has(zero) else node.graph.constant(np.zeros((), np.int32))
    return (node.tensor(place) - 128).to("int8"), point - 128


@TABLE.operator("Einsum")
def einsum(node: Node) -> Value:
    """One or two operands by transposing to a dense product."""
    terms, _, result = node.get("equation").replace(" ", "").partition("->")
    terms = terms.split(",")
    if len(terms) > 2 or any(len(set(term)) < len(term) for term in terms):
        equation = node.get("equation")
        raise node.error(f"has the equation '{equation}'; possible are one or two operands without repeats or '...'.")
    if "->" not in node.get("equation"):
        letters = sorted(set("".join(terms)))
        result = "".join(letter for letter in letters if "".join(terms).count(letter) == 1)
    if len(terms) == 1:
        summed = [k for k, letter in enumerate(terms[0]) if letter not in result]
        x = reduce("SUM", node.real(), summed)
        kept = [letter for letter in terms[0] if letter in result]
        x = layout.reshape(x, [node.shape()[terms[0].index(letter)] for letter in kept])
        return node.give(layout.transpose(x, [kept.index(letter) for letter in result]))
    left, right = terms
    length = {letter: one for place, term in enumerate(terms) for letter, one in zip(term, node.shape(place), strict=True)}
    batch = [c for c in left if c in right and c in result]
    inner = [c for c in left if c in right and c not in result]
    rows, columns = ([c for c in term if c not in batch + inner and c in result] for term in terms)
    if len(batch + inner + rows) < len(left) or len(batch + inner + columns) < len(right):
        raise node.error(f"has the equation '{node.get('equation')}'; an index that is summed must be in both operands.")

    def matrix(place: int, term: str, outer: list[str]) -> Tensor:
        x = layout.transpose(node.real(place), [term.index(c) for c in batch + outer + inner])
        sizes = [math.prod(length[c] for c in group) for group in (batch, outer, inner)]
        return layout.reshape(x, sizes if batch else sizes[1:])

    product = node.product(matrix(0, left, rows), matrix(1, right, columns))
    order = batch + rows + columns
    product = layout.reshape(product, [length[c] for c in order])
    return node.give(layout.transpose(product, [order.index(c) for c in result]))
