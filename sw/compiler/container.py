"""A compiled program as one file: a ZIP archive with the configuration, the images, and where tensors lie.

`program.json` says what the program is, `config.toml` is the chip, `image_0.bin` is what the first chip is loaded with; a
language model has its `tokenizer.bin`, an output that is known without a run its numpy array under `known/`. Equal programs
give equal bytes.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field

import numpy as np

from sw.arch.config import Config, ConfigError, parse
from sw.arch.dtype import DType
from sw.arch.system import Link, Port, System
from sw.asm.image import Image, ImageError
from sw.compiler.binding import Binding
from sw.compiler.border import Border, Piece
from sw.compiler.compiled import Compiled, CompiledSystem

#: How every archive begins, which no image and no text does.
MAGIC = b"PK\x03\x04"
FORMAT, VERSION = "takt program", 2
#: ZIP's least date, so that no time of day gets into a file.
_DATE = (1980, 1, 1, 0, 0, 0)


class ContainerError(ValueError):
    """A file that is no program, or a damaged one; the text says what is wrong."""


@dataclass(frozen=True, eq=False)
class About:
    """What users of a model's program need to know of the model.

    precision : of its products, such as `fp16`
    elements : ONNX's number of the element type of inputs and outputs that have one, by name
    known : outputs that need no run, by name
    context : of a language model the number of its positions, else 0
    tokenizer : of a language model, llama2.c's file; empty where there is none
    """

    precision: str
    elements: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    context: int = 0
    tokenizer: bytes = b""


@dataclass(frozen=True, eq=False)
class Container:
    """A compiled program and what its users need beside it.

    source : name of the model that it was made from
    bounds : least cycles of a run on one chip by reason, see `sw.compiler.bounds`
    border : of a model over chips, who has what of its inputs and outputs
    """

    compiled: CompiledSystem
    source: str
    about: About
    bounds: Mapping[str, int] = field(default_factory=dict)
    border: Border = Border()

    def to_bytes(self) -> bytes:
        """The archive."""
        program, about = self.compiled, self.about
        described = {
            "format": FORMAT,
            "version": VERSION,
            "source": self.source,
            "precision": about.precision,
            "config": program.config.name,
            "body": program.body,
            "links": [astuple(link) for link in program.system.links],
            "chips": [_chip(part) for part in program.parts],
            "border": asdict(self.border),
            "elements": dict(about.elements),
            "known": list(about.known),
            "context": about.context,
            "bounds": dict(self.bounds),
        }
        parts = {
            "program.json": json.dumps(described).encode(),
            "config.toml": _toml(program.config).encode(),
        }
        parts |= {f"image_{number}.bin": part.image.to_bytes() for number, part in enumerate(program.parts)}
        if about.tokenizer:
            parts["tokenizer.bin"] = about.tokenizer
        for number, array in enumerate(about.known.values()):
            buffer = io.BytesIO()
            np.save(buffer, array)
            parts[f"known/{number}.npy"] = buffer.getvalue()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            for name, data in parts.items():
                target.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
        return archive.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> "Container":
        """The program in an archive called `name`; ContainerError in a sentence if there is none or it is damaged."""
        parts = _parts(data, name)
        try:
            about = json.loads(parts["program.json"])
            if about["format"] != FORMAT:
                raise ContainerError(f"{name} is an archive, but not of a compiled program.")
            if about["version"] != VERSION:
                raise ContainerError(f"{name} has format version {about['version']}, this program reads version {VERSION}.")
            config = parse(parts["config.toml"].decode(), about["config"])
            chips = []
            for number, one in enumerate(about["chips"]):
                bindings = [{key: _binding(given) for key, given in one[kind].items()} for kind in ("inputs", "outputs")]
                image = Image.from_bytes(parts[f"image_{number}.bin"], config)
                chips.append(Compiled(config, image, *bindings, int(one["cycles"])))
            links = tuple(Link(Port(*source), Port(*target), latency) for source, target, latency in about["links"])
            known = {
                key: np.load(io.BytesIO(parts[f"known/{number}.npy"]), allow_pickle=False)
                for number, key in enumerate(about["known"])
            }
            return cls(
                CompiledSystem(System(config, len(chips), links), tuple(chips), int(about["body"])),
                about["source"],
                About(about["precision"], about["elements"], known, about["context"], parts.get("tokenizer.bin", b"")),
                about["bounds"],
                _border(about["border"]),
            )
        except (ImageError, ConfigError) as error:
            raise ContainerError(f"{name}: {error}") from error
        except ContainerError:
            raise
        except KeyError as error:
            raise ContainerError(f"{name} is an archive, but not of a compiled program: it lacks {error}.") from error
        except (TypeError, ValueError, AttributeError, OverflowError, EOFError) as error:
            raise ContainerError(f"{name} is damaged: its description does not read as one of a program.") from error


def _parts(data: bytes, name: str) -> dict[str, bytes]:
    """Contents of an archive by name; their CRCs are right."""
    # What zipfile raises for damage depends on where it is: an unknown method or version is NotImplementedError, a set
    # flag for encryption RuntimeError, a bad offset OSError or ValueError, cut contents the others.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {part: archive.read(part) for part in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ContainerError(f"{name} is damaged, or no compiled program: its archive cannot be read.") from error


def _toml(config: Config) -> str:
    """A configuration as its file would be; numbers, truth values, strings and lists look the same in JSON and TOML."""
    values = asdict(config)
    groups = {key: group for key, group in values.items() if isinstance(group, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key not in groups]
    for key, group in groups.items():
        lines += ["", f"[{key}]", *(f"{entry} = {json.dumps(value)}" for entry, value in group.items())]
    return "\n".join(lines) + "\n"


def _chip(part: Compiled) -> dict:
    kinds = {"inputs": part.inputs, "outputs": part.outputs}
    described = {kind: {name: _described(one) for name, one in bindings.items()} for kind, bindings in kinds.items()}
    return {"cycles": part.cycles} | described


def _border(given: dict) -> Border:
    kinds = (given[kind].items() for kind in ("inputs", "outputs"))
    return Border(*({name: tuple(Piece(**piece) for piece in pieces) for name, pieces in kind} for kind in kinds))


def _described(binding: Binding) -> dict:
    return {"shape": binding.shape, "dtype": binding.dtype.text, "places": binding.places}


def _binding(given: dict) -> Binding:
    places = tuple(tuple((int(s), int(word)) for s, word in place) for place in given["places"])
    return Binding(tuple(int(size) for size in given["shape"]), DType.parse(given["dtype"]), places)
