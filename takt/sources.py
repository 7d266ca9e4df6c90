"""Models in files, and how each kind becomes a graph for a chip."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sw.arch.config import Config
from sw.compiler.border import Border
from sw.compiler.container import About
from sw.compiler.graph import Graph, GraphError
from sw.compiler.llama.checkpoint import Checkpoint, CheckpointError, read_llama2c
from sw.compiler.llama.tokenizer import Tokenizer

#: What products may be made in, the first by default.
ONNX_PRECISIONS = ("fp32", "fp16")
LLAMA_PRECISIONS = ("fp16", "int8")


@dataclass(frozen=True, eq=False)
class Source:
    """A graph, what its users need to know of the model that it is, and who has what of its inputs and outputs."""

    graph: Graph
    about: About
    border: Border = Border()


def shipped() -> Path:
    """The checkpoint that comes with Takt; its tokenizer lies beside it."""
    return Path(str(resources.files("examples"))) / "llama" / "model.bin"


def opened(
    path: Path, config: Config, precision: str | None, tokenizer: Path | None, context: int | None, greedy: bool, chips: int = 1
) -> Source:
    """The model in a file or folder. Errors are those of its kind, GraphError for a kind that is not known.

    tokenizer : of a language model, by default `tokenizer.bin` beside the checkpoint if it is there
    """
    if path.is_dir() or path.suffix == ".bin":
        return language(checkpoint(path), config, precision, tokenizer or _beside(path), context, greedy, chips)
    if path.suffix == ".onnx":
        return onnx_file(path, precision)
    raise GraphError(
        f"{path} is no model that can be compiled: it must be an ONNX model (.onnx), a llama2.c checkpoint (.bin) or a "
        "folder with config.json and model.safetensors."
    )


def checkpoint(path: Path) -> Checkpoint:
    """A language model from llama2.c's file or Hugging Face's folder."""
    if path.is_dir():
        from sw.compiler.llama.huggingface import read_huggingface

        return read_huggingface(path)
    return read_llama2c(path)


def language(
    model: Checkpoint,
    config: Config,
    precision: str | None = None,
    tokenizer: Path | None = None,
    context: int | None = None,
    greedy: bool = False,
    chips: int = 1,
) -> Source:
    """A language model's decode step, which chooses the token itself if `greedy`, shared by so many chips.

    tokenizer : llama2.c's file; CheckpointError if it is for another vocabulary
    """
    from sw.compiler.llama.build import border, decoder

    chosen = _precision(precision, LLAMA_PRECISIONS, "a language model")
    words = tokenizer.read_bytes() if tokenizer else b""
    if tokenizer and (known := len(Tokenizer.parse(words, str(tokenizer)).pieces)) != model.vocab:
        raise CheckpointError(f"{tokenizer} has {known} tokens, the model {model.vocab}.")
    if chosen == "int8":
        from sw.compiler.llama.int8 import int8_decoder

        graph = int8_decoder(model, config.vl, greedy, context, chips=chips)
    else:
        graph = decoder(model, config.vl, greedy, context, chips)
    about = About(chosen, context=context or model.context, tokenizer=words)
    return Source(graph, about, border(model, config.vl, chips))


def onnx_file(path: Path, precision: str | None = None) -> Source:
    """An ONNX model from its file."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path)
    except onnx.checker.ValidationError as error:
        raise GraphError(f"{path} lacks what it refers to: {' '.join(str(error).split()).rstrip('.')}.") from error
    except DecodeError as error:
        raise GraphError(f"{path} is no ONNX model: it does not decode.") from error
    return onnx_model(model, precision)


def onnx_model(model, precision: str | None = None) -> Source:
    """An `onnx.ModelProto`; OnnxError in a sentence where it does not compile."""
    import onnx

    from sw.compiler.formulas.products import dot_fp16, dot_fp32
    from sw.compiler.onnx.importer import import_model

    if not isinstance(model, onnx.ModelProto):
        found = type(model).__name__
        raise GraphError(f"A model is a graph, a checkpoint, an onnx.ModelProto or a path, this is of type {found}.")
    chosen = _precision(precision, ONNX_PRECISIONS, "an ONNX model")
    imported = import_model(model, product={"fp32": dot_fp32, "fp16": dot_fp16}[chosen])
    values = imported.outputs.items()
    elements = {name: element.code for name, element in imported.inputs.items()}
    elements |= {name: value.element.code for name, value in values if value.tensor is not None}
    known = {name: value.array for name, value in values if value.tensor is None}
    return Source(imported.graph, About(chosen, elements, known))


def _precision(asked: str | None, possible: tuple[str, ...], what: str) -> str:
    if asked is not None and asked not in possible:
        raise GraphError(f"The precision of {what} is '{asked}'; possible are {', '.join(possible)}.")
    return asked or possible[0]


def _beside(path: Path) -> Path | None:
    found = (path if path.is_dir() else path.parent) / "tokenizer.bin"
    return found if found.is_file() else None
