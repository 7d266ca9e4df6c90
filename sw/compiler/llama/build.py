"""One decode step of a Llama as a graph: position and token are data, so that one program serves all positions."""

from itertools import pairwise

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.border import Border, Piece
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.llama.attention import Position, attention
from sw.compiler.llama.checkpoint import Checkpoint
from sw.compiler.llama.product import fp16, product
from sw.compiler.llama.weights import Weights

#: Rows that an INT16 can number.
_ROWS = 1 << 15


def decoder(model: Checkpoint, vl: int, greedy: bool = False, context: int | None = None, chips: int = 1) -> Graph:
    """The graph of one token.

    vl : lanes of a vector on the chip
    context : positions to keep, by default the model's own length
    greedy : whether the chip chooses the next token itself
    chips : chips that share the model, each with some of the heads, the feed-forward's lanes and the classifier's rows

    Not greedy: inputs `token` and `position`, INT16 [1, 1]; output `logits`, FP32 [1, vocab]. Over several chips each
    has these inputs, `token@1` on chip 1, and `logits@1` are those after the ones of `logits`.
    Greedy: states `token` (at first 1, llama2.c's start of text) and `position` (at first 0) move on by themselves; the
    input `prompt`, INT16 [context, 1], holds at p the token that must follow position p, or -1 where the chip chooses;
    the state and output `text`, INT16 [context, 1], has what followed each position. A run beyond the context is a fault.
    Caches are states: a new text starts at position 0 and needs no clearing.
    The sum that runs through the layers enters products in FP16, so it must stay below 65504.
    GraphError in a sentence for a model that does not fit, CheckpointError for one that so many chips cannot share.
    """
    context = model.context if context is None else context
    if not 1 <= context <= model.context:
        raise GraphError(f"The context is {context}, the model knows 1 to {model.context} positions.")
    if greedy and chips > 1:
        raise GraphError(f"{chips} chips have a share of the logits each, none can choose the next token; let the host choose.")
    shares = [Weights(share, vl, context, number) for number, share in enumerate(model.shares(chips))]
    for what, size in (("vocabulary", model.vocab), ("context", shares[0].widths.context)):
        if size > _ROWS:
            raise GraphError(f"The {what} has {size} entries, int16 numbers at most {_ROWS}.")
    graph = Graph("llama")
    xs, positions = [], []
    for weights in shares:
        graph.chip = weights.number
        token, index = (_moving if greedy else _given)(graph, weights)
        positions.append(Position.of(graph, index, weights))
        xs.append(graph.gather(fp16(graph, weights.embedding(), "embedding"), token).to(DType.FP32))
    for layer in range(model.layers):
        more = []
        for x, position, weights in zip(xs, positions, shares, strict=True):
            graph.chip = weights.number
            scale = _scale(x, model, weights.named("layers") + f".{layer}.attention_norm")
            more.append(attention(x, scale, position, weights, layer))
        xs = _added(xs, more, f"layers.{layer}.attention_out")
        more = [_feed_forward(x, weights, layer) for x, weights in zip(xs, shares, strict=True)]
        xs = _added(xs, more, f"layers.{layer}.ffn_out")
    for x, weights, rows in zip(xs, shares, _classifier_rows(shares[0], chips), strict=True):
        graph.scope = weights.named("classifier_in")
        logits = product(x.to(DType.FP16), weights.classifier()[rows], weights.named("classifier"))
        if greedy:
            _choose(graph, logits, positions[0].index, weights)
        else:
            scaled = logits * _scale(x, model, weights.named("final_norm"))
            if rows.stop > model.vocab:
                scaled = graph.move(scaled, np.arange(model.vocab - rows.start)[None])
            graph.output(weights.named("logits"), scaled)
    return graph


def border(model: Checkpoint, vl: int, chips: int) -> Border:
    """Who has what of the inputs and outputs of a `decoder` over chips."""
    if chips == 1:
        return Border()
    marks = [Weights(model, vl, model.context, number).named for number in range(chips)]
    rows = _classifier_rows(Weights(model, vl, model.context), chips)
    ends = [(part.start, min(part.stop, model.vocab)) for part in rows]
    return Border(
        {name: tuple(Piece(named(name)) for named in marks) for name in ("token", "position")},
        {"logits": tuple(Piece(named("logits"), 1, *pair) for named, pair in zip(marks, ends, strict=True))},
    )


def _added(xs: list[Tensor], more: list[Tensor], name: str) -> list[Tensor]:
    """On every chip its x and what all chips add to it, in the same order everywhere."""
    graph, made = xs[0].graph, []
    graph.scope = name
    for x in xs:
        terms = [graph.transfer(term, x.chip) for term in more]
        made.append(x + sum(terms[1:], terms[0]))
    return made


def _classifier_rows(weights: Weights, chips: int) -> list[slice]:
    """The rows of the classifier that each chip has, in whole vectors. GraphError if a chip had none."""
    vectors = weights.widths.vocab // weights.vl
    if vectors < chips:
        raise GraphError(f"The vocabulary takes {vectors} vectors of {weights.vl} lanes, {chips} chips cannot share them.")
    ends = [weights.vl * (number * vectors // chips) for number in range(chips + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def _given(graph: Graph, weights: Weights) -> tuple[Tensor, Tensor]:
    return tuple(graph.input(weights.named(name), (1, 1), DType.INT16) for name in ("token", "position"))


def _moving(graph: Graph, weights: Weights) -> tuple[Tensor, Tensor]:
    return graph.state("token", np.ones((1, 1), np.int16)), graph.state("position", np.zeros((1, 1), np.int16))


def _scale(x: Tensor, model: Checkpoint, name: str) -> Tensor:
    """RMSNorm's factor over sqrt(dim), which the weights have: FP32 [1, 1]. Runs beside the product it scales."""
    graph = x.graph
    graph.scope = name
    return graph.elementwise("RSQRT", graph.reduce("SUM", x * x, 1) + model.dim * model.epsilon)


def _feed_forward(x: Tensor, weights: Weights, layer: int) -> Tensor:
    """W2 (SiLU(W1 n) * W3 n) for the normalised n: FP32 [1, dim]."""
    graph, name = x.graph, weights.named("layers") + f".{layer}."
    scale = _scale(x, weights.model, name + "ffn_norm")
    graph.scope = name + "ffn_in"
    operand = x.to(DType.FP16)
    gate = product(operand, weights.gate(layer), name + "w1")
    up = product(operand, weights.up(layer), name + "w3")
    graph.scope = name + "swiglu"
    sigmoid = graph.elementwise("RECIP", graph.elementwise("EXP2", gate * scale) + 1.0)
    inner = (gate * up * (scale * scale) * sigmoid).to(DType.FP16)
    return product(inner, weights.down(layer), name + "w2")


def _choose(graph: Graph, logits: Tensor, index: Tensor, weights: Weights) -> None:
    """The next token from the prompt or by arg-max, of equals the lowest; states move on."""
    graph.scope, vocab, context = "choice", weights.model.vocab, weights.context
    if logits.shape[1] > vocab:
        limit = np.where(np.arange(logits.shape[1]) < vocab, np.inf, -np.inf)
        logits = graph.elementwise("MIN", logits, graph.constant(limit[None]))
    best = graph.elementwise("EQ", logits, graph.reduce("MAX", logits, 1))
    numbers = graph.constant(np.arange(logits.shape[1], dtype=np.int32)[None])
    best = graph.reduce("MIN", graph.elementwise("SELECT", best, numbers, _ROWS - 1), 1).to(DType.INT16)
    forced = graph.gather(graph.input("prompt", (context, 1), DType.INT16), index)
    following = graph.elementwise("SELECT", graph.elementwise("GE", forced, 0), forced, best)
    graph.store("token", following)
    graph.store("position", index + 1)
    text = graph.scatter(graph.state("text", np.full((context, 1), -1, np.int16)), index, following)
    graph.store("text", text)
    graph.output("token", following)
    graph.output("text", text)
