"""Checkpoints from files of both kinds."""

import dataclasses
import json
import struct

import numpy as np
import pytest
import safetensors.numpy

from sw.compiler.llama.checkpoint import CheckpointError, read_llama2c
from sw.compiler.llama.huggingface import read_huggingface
from tests.compiler.llama_reference import Llama, random_model, stories

LEGACY = ("attention_gain", "wq", "wk", "wv", "wo", "ffn_gain", "w1", "w2", "w3", "final_gain")

#: Matrices that both conventions have alike.
SAME = {"wv": "self_attn.v", "wo": "self_attn.o", "w1": "mlp.gate", "w2": "mlp.down", "w3": "mlp.up"}


def write_llama2c(path, model):
    """What llama2.c's legacy export writes."""
    tied = model.classifier is model.embedding
    vocab = model.vocab if tied else -model.vocab
    header = (model.dim, model.hidden, model.layers, model.heads, model.kv_heads, vocab, model.context)
    tables = np.zeros((2, model.context, model.head_size // 2), np.float32)
    arrays = [model.embedding, *(getattr(model, name) for name in LEGACY), tables, *([] if tied else [model.classifier])]
    path.write_bytes(struct.pack("<7i", *header) + b"".join(a.astype("<f4").tobytes() for a in arrays))


@pytest.mark.parametrize("tied", [True, False])
def test_a_llama2c_file_comes_back(tmp_path, tied):
    model = random_model(31, tied=tied)
    write_llama2c(tmp_path / "m.bin", model)
    back = read_llama2c(tmp_path / "m.bin")
    for field in dataclasses.fields(model):
        assert np.array_equal(getattr(back, field.name), getattr(model, field.name)), field.name


def test_broken_llama2c_files_are_refused_in_sentences(tmp_path):
    path, model = tmp_path / "m.bin", random_model(32)
    write_llama2c(path, model)
    whole = path.read_bytes()
    for data, message in (
        (whole[:-4], rf"has {len(whole) - 4} bytes, a checkpoint of its header's shape has {len(whole)}"),
        (whole[:20], "has 20 bytes, the header of a llama2.c checkpoint alone has 28"),
        (b"42ka" + whole[4:], "only the legacy format"),
        (struct.pack("<7i", 16, 24, 2, 5, 5, 40, 32) + whole[28:], "header reads 16, 24, 2, 5, 5, 40, 32"),
        (whole[:28] + b"\xff" * (len(whole) - 28), "embedding holds numbers that are not finite"),
    ):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=message):
            read_llama2c(path)


def test_shapes_that_contradict_each_other_are_refused():
    model = random_model(33)
    with pytest.raises(CheckpointError, match=r"wk is \[2, 8, 16\], its shape says \[2, 16, 16\]"):
        dataclasses.replace(model, kv_heads=4)
    with pytest.raises(CheckpointError, match="4 heads, which 3 key/value heads do not divide"):
        dataclasses.replace(model, kv_heads=3)
    with pytest.raises(CheckpointError, match="head size is 5"):
        random_model(33, head_size=5)
    for name in ("rope_base", "epsilon"):
        for value in (0.0, -1.0, np.nan, np.inf):
            with pytest.raises(CheckpointError, match=f"{name} is {value}, it must be above 0"):
                dataclasses.replace(model, **{name: value})


def half_split(rows, heads):
    """Rows of each head as the other convention has them: all even ones, then all odd ones."""
    layers, count, dim = rows.shape
    split = rows.reshape(layers, heads, count // heads, dim)
    return np.concatenate([split[:, :, 0::2], split[:, :, 1::2]], axis=2).reshape(rows.shape)


def huggingface(model):
    """Its tensors and configuration under their names."""
    tensors = {"model.embed_tokens.weight": model.embedding, "model.norm.weight": model.final_gain}
    for n in range(model.layers):
        at = f"model.layers.{n}."
        tensors[at + "input_layernorm.weight"] = model.attention_gain[n]
        tensors[at + "post_attention_layernorm.weight"] = model.ffn_gain[n]
        tensors[at + "self_attn.q_proj.weight"] = half_split(model.wq, model.heads)[n]
        tensors[at + "self_attn.k_proj.weight"] = half_split(model.wk, model.kv_heads)[n]
        for ours, theirs in SAME.items():
            tensors[f"{at}{theirs}_proj.weight"] = getattr(model, ours)[n]
    tied = model.classifier is model.embedding
    if not tied:
        tensors["lm_head.weight"] = model.classifier
    config = {
        "model_type": "llama", "hidden_size": model.dim, "intermediate_size": model.hidden, "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads, "num_key_value_heads": model.kv_heads, "head_dim": model.head_size,
        "vocab_size": model.vocab, "max_position_embeddings": model.context, "rope_theta": model.rope_base,
        "rms_norm_eps": model.epsilon, "tie_word_embeddings": tied, "rope_scaling": None,
    }  # fmt: skip
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}, config


def write_huggingface(folder, tensors, config):
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("tied", [True, False])
def test_a_hugging_face_folder_comes_back(tmp_path, tied):
    model = random_model(34, heads=4, kv_heads=2, head_size=6, tied=tied)
    write_huggingface(tmp_path, *huggingface(model))
    back = read_huggingface(tmp_path)
    for field in dataclasses.fields(model):
        assert np.array_equal(getattr(back, field.name), getattr(model, field.name)), field.name


def test_narrow_types_and_shards_are_read(tmp_path):
    model = random_model(35)
    tensors, config = huggingface(model)
    bf16 = "model.norm.weight"
    names = sorted(tensors)
    header = {bf16: {"dtype": "BF16", "shape": [model.dim], "data_offsets": [0, 2 * model.dim]}}
    text = json.dumps(header).encode()
    data = (tensors.pop(bf16).view("<u4") >> 16).astype("<u2").tobytes()
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    safetensors.numpy.save_file({name: a.astype(np.float16) for name, a in tensors.items()}, tmp_path / "a.safetensors")
    index = {"weight_map": {name: "b.safetensors" if name == bf16 else "a.safetensors" for name in names}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "config.json").write_text(json.dumps(config))
    back = read_huggingface(tmp_path)
    assert back.final_gain.dtype == back.w1.dtype == np.float32
    assert np.array_equal(back.w1, model.w1.astype(np.float16))
    cut = (model.final_gain.view("<u4") & 0xFFFF0000).view("<f4")
    assert np.array_equal(back.final_gain, cut) and not np.array_equal(cut, model.final_gain)


def test_older_configurations_have_defaults(tmp_path):
    model = random_model(36, kv_heads=4, head_size=4)
    tensors, config = huggingface(dataclasses.replace(model, epsilon=1e-6))
    for name in ("num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps", "rope_scaling"):
        del config[name]
    write_huggingface(tmp_path, tensors, config)
    back = read_huggingface(tmp_path)
    assert (back.kv_heads, back.head_size, back.rope_base, back.epsilon) == (4, 4, 10000.0, 1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "mistral"}, "type 'mistral', supported is 'llama'"),
        ({"hidden_act": "gelu"}, "activation 'gelu'"),
        ({"attention_bias": True}, "attention_bias"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "scales RoPE by 'llama3'"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "scales RoPE by 'linear'"),
        ({"hidden_size": "many"}, "hidden_size = many, it must be a whole number from 1"),
        ({"num_key_value_heads": "2"}, "num_key_value_heads = 2, it must be a whole number from 1"),
        ({"head_dim": 2.5}, "head_dim = 2.5, it must be a whole number from 1"),
        ({"num_hidden_layers": True}, "num_hidden_layers = True, it must be a whole number from 1"),
        ({"rope_theta": [1]}, r"rope_theta = \[1\], it must be a number above 0"),
        ({"rms_norm_eps": -1e-6}, "rms_norm_eps = -1e-06, it must be a number above 0"),
        ({"rope_scaling": "no"}, "rope_scaling = no, it must be an object with names"),
        ({"num_attention_heads": 5, "num_key_value_heads": 1}, "q_proj of 16 rows for 5 heads of even size 4"),
        ({"num_hidden_layers": 3}, "no tensor 'model.layers.2.input_layernorm.weight'"),
        ({"tie_word_embeddings": False}, "no tensor 'lm_head.weight'"),
        ({"vocab_size": 41}, r"embedding is \[40, 16\], its shape says \[41, 16\]"),
    ],
)
def test_what_is_not_this_llama_is_refused_in_a_sentence(tmp_path, changed, message):
    tensors, config = huggingface(random_model(37))
    write_huggingface(tmp_path, tensors, {**config, **changed})
    with pytest.raises(CheckpointError, match=message):
        read_huggingface(tmp_path)


def test_broken_folders_are_refused_in_sentences(tmp_path):
    with pytest.raises(CheckpointError, match="config.json cannot be read"):
        read_huggingface(tmp_path)
    tensors, config = huggingface(random_model(38))
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="model.safetensors cannot be read"):
        read_huggingface(tmp_path)
    write_huggingface(tmp_path, {name: a.astype(np.float64) for name, a in tensors.items()}, config)
    with pytest.raises(CheckpointError, match="of type F64, supported are F32, F16, BF16"):
        read_huggingface(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        read_huggingface(tmp_path)
    tensors["model.layers.0.self_attn.q_proj.weight"] = tensors["model.layers.1.self_attn.q_proj.weight"] = np.ones(16, "f4")
    write_huggingface(tmp_path, tensors, config)
    with pytest.raises(CheckpointError, match="q_proj of 1 axes, it must be a matrix"):
        read_huggingface(tmp_path)
    path.unlink()
    for index in ("{}", '{"weight_map": ["a"]}', '{"weight_map": {"a": 1}}'):
        (tmp_path / "model.safetensors.index.json").write_text(index)
        with pytest.raises(CheckpointError, match="index.json has no weight_map from tensors to names of files"):
            read_huggingface(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="holds a list, it must be an object with names"):
        read_huggingface(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="not JSON"):
        read_huggingface(tmp_path)


def test_stories260k_is_the_model_of_its_golden_logits():
    folder = stories()
    golden = np.load(folder / "golden_greedy200.npz")
    reference = Llama(read_llama2c(folder / "stories260K.bin"))
    for token, expected in zip(golden["tokens"][:10], golden["logits_f32"], strict=False):
        assert np.abs(reference.step(token) - expected).max() < 1e-4
