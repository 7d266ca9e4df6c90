"""Checkpoints as Hugging Face's LlamaForCausalLM has them: `config.json` beside `model.safetensors`."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors

from sw.compiler.llama.checkpoint import Checkpoint, CheckpointError

_TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
#: Matrix of a layer by the name it has there.
_LAYER = {
    "attention_gain": "input_layernorm",
    "wq": "self_attn.q_proj",
    "wk": "self_attn.k_proj",
    "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj",
    "ffn_gain": "post_attention_layernorm",
    "w1": "mlp.gate_proj",
    "w2": "mlp.down_proj",
    "w3": "mlp.up_proj",
}


def read_huggingface(folder: str | Path) -> Checkpoint:
    """A folder with `config.json` and `model.safetensors`, or its shards and their index, in fp32, fp16 or bf16.

    RoPE turns the two halves of a head there: rows of Wq and Wk are reordered to interleaved pairs.
    CheckpointError in a sentence for a file that is missing or broken, or a kind of Llama that is not supported.
    """
    folder = Path(folder)
    config = _json(folder / "config.json")
    _refuse_unsupported(config, folder)
    dim, heads = _number(config, "hidden_size", folder), _number(config, "num_attention_heads", folder)
    kv_heads = _number(config, "num_key_value_heads", folder, heads)
    head_size = _number(config, "head_dim", folder, dim // heads)
    layers = _number(config, "num_hidden_layers", folder)
    tensors = _tensors(folder)

    def tensor(name: str) -> np.ndarray:
        if name not in tensors:
            raise CheckpointError(f"{folder} has no tensor '{name}'.")
        return tensors[name]

    def stacked(what: str) -> np.ndarray:
        found = [tensor(f"model.layers.{layer}.{_LAYER[what]}.weight") for layer in range(layers)]
        for layer, array in enumerate(found):
            if array.shape != found[0].shape:
                shapes = f"{list(array.shape)} in layer {layer} and {list(found[0].shape)} in layer 0"
                raise CheckpointError(f"{folder} has a {_LAYER[what]} of {shapes}.")
        return np.stack(found)

    weights = {what: stacked(what) for what in _LAYER}
    for what, count in (("wq", heads), ("wk", kv_heads)):
        weights[what] = _interleaved(weights[what], count, head_size, what, folder)
    embedding = tensor("model.embed_tokens.weight")
    return Checkpoint(
        dim=dim,
        hidden=_number(config, "intermediate_size", folder),
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head_size,
        vocab=_number(config, "vocab_size", folder),
        context=_number(config, "max_position_embeddings", folder),
        rope_base=_number(_rope(config), "rope_theta", folder, _number(config, "rope_theta", folder, 10000.0, float), float),
        epsilon=_number(config, "rms_norm_eps", folder, 1e-6, float),
        embedding=embedding,
        final_gain=tensor("model.norm.weight"),
        classifier=embedding if config.get("tie_word_embeddings") else tensor("lm_head.weight"),
        **weights,
    )


def _json(path: Path) -> dict:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__}, it must be an object with names.")
    return found


def _refuse_unsupported(config: Mapping, folder: Path) -> None:
    kind = config.get("model_type")
    if kind != "llama":
        raise CheckpointError(f"{folder} holds a model of type '{kind}', supported is 'llama'.")
    if (activation := config.get("hidden_act", "silu")) not in ("silu", "swish"):
        raise CheckpointError(f"{folder} has the activation '{activation}', supported is 'silu'.")
    for bias in ("attention_bias", "mlp_bias"):
        if config.get(bias):
            raise CheckpointError(f"{folder} has {bias}, products with a bias are not supported.")
    for name in ("rope_scaling", "rope_parameters"):
        if not isinstance(config.get(name) or {}, dict):
            raise CheckpointError(f"{folder}/config.json has {name} = {config[name]}, it must be an object with names.")
    rope = _rope(config)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise CheckpointError(f"{folder} scales RoPE by '{kind}', supported is RoPE as it is.")


def _rope(config: Mapping) -> dict:
    """What says how RoPE turns, under its older and its newer name."""
    return {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}


def _number(config: Mapping, name: str, folder: Path, default: float | None = None, kind: type = int) -> float:
    """A number above 0, whole if `kind` is int; `default` where there is none or null."""
    value = default if config.get(name) is None else config[name]
    if isinstance(value, bool) or not isinstance(value, int | kind) or value <= 0:
        what = "whole number from 1" if kind is int else "number above 0"
        raise CheckpointError(f"{folder}/config.json has {name} = {value}, it must be a {what}.")
    return kind(value)


def _tensors(folder: Path) -> dict[str, np.ndarray]:
    files = [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if not files[0].exists() and index.exists():
        files = [folder / name for name in sorted(_shards(index))]
    found = {}
    for path in files:
        try:
            stored = safetensors.deserialize(path.read_bytes())
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
        except safetensors.SafetensorError as error:
            raise CheckpointError(f"{path} is not a whole safetensors file: {error}.") from error
        for name, view in stored:
            if view["dtype"] not in _TYPES:
                known = ", ".join(_TYPES)
                raise CheckpointError(f"{path} has tensor '{name}' of type {view['dtype']}, supported are {known}.")
            array = np.frombuffer(view["data"], _TYPES[view["dtype"]]).reshape(view["shape"])
            # bf16 is the upper half of fp32.
            found[name] = (array.astype("<u4") << 16).view("<f4") if view["dtype"] == "BF16" else array.astype(np.float32)
    return found


def _shards(index: Path) -> set[str]:
    names = _json(index).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise CheckpointError(f"{index} has no weight_map from tensors to names of files.")
    return set(names.values())


def _interleaved(w: np.ndarray, heads: int, size: int, what: str, folder: Path) -> np.ndarray:
    """Rows (i, i + size / 2) of each head become rows (2i, 2i + 1)."""
    if w.ndim != 3:
        raise CheckpointError(f"{folder} has a {_LAYER[what]} of {w.ndim - 1} axes, it must be a matrix.")
    layers, rows, dim = w.shape
    if rows != heads * size or size % 2:
        raise CheckpointError(f"{folder} has a {_LAYER[what]} of {rows} rows for {heads} heads of even size {size}.")
    return w.reshape(layers, heads, 2, size // 2, dim).swapaxes(2, 3).reshape(layers, rows, dim)
