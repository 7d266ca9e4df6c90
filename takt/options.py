"""Options and values that several subcommands share."""

from pathlib import Path

import click

from sw.arch.config import PRESETS, Config, load
from sw.asm.image import HEADER, MAGIC, Image, ImageError
from sw.asm.text import assemble
from sw.compiler import container


class ConfigType(click.ParamType):
    """A configuration by preset or path; ConfigError goes to the caller as it is."""

    name = "PRESET_OR_TOML"

    def convert(self, value, param, ctx) -> Config:
        """The configuration that the text names."""
        return value if isinstance(value, Config) else load(value)


def config_option(**more):
    """`--config`; `more` says whether it has a default or is required."""
    presets = ", ".join(PRESETS)
    return click.option(
        "--config", "-c", type=ConfigType(), help=f"The chip: {presets}, or a TOML file.", **more
    )


def path(**more) -> click.Path:
    """A file or folder; reading and writing report what is wrong with it."""
    return click.Path(path_type=Path, **more)


def is_compiled(file: Path) -> bool:
    """Whether a file is a compiled program, as far as its beginning says."""
    if file.is_dir():
        return False
    with file.open("rb") as source:
        return source.read(len(container.MAGIC)) == container.MAGIC


def read_text(file: Path) -> str:
    """The text in a file; ImageError if it is none."""
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ImageError(f"{file} is neither a Takt image nor text in UTF-8.") from error


def read_compiled(file: Path, config: Config | None) -> container.Container:
    """The compiled program in a file; ImageError if it is for another chip than `config`."""
    return _compiled(file, file.read_bytes(), config)


def read_image(file: Path, config: Config | None) -> Image:
    """The image in a file: that of a compiled program, a binary image, or assembly text that is assembled.

    Without `config` an image is tried against the presets, and a text must name its configuration.
    """
    data = file.read_bytes()
    if data.startswith(container.MAGIC):
        first, *others = _compiled(file, data, config).compiled.parts
        if others:
            raise ImageError(f"{file} has programs for {1 + len(others)} chips, not one image.")
        return first.image
    if not data.startswith(MAGIC):
        return assemble(read_text(file), config, str(file))
    try:
        return Image.from_bytes(data, config or _made_for(data))
    except ImageError as error:
        raise ImageError(f"{file}: {error}") from error


def _compiled(file: Path, data: bytes, config: Config | None) -> container.Container:
    found = container.Container.from_bytes(data, str(file))
    if config and config.hash != found.compiled.config.hash:
        raise ImageError(f"{file} was compiled for '{found.compiled.config.name}', not for '{config.name}'.")
    return found


def _made_for(data: bytes) -> Config:
    """The preset whose hash an image carries."""
    if len(data) >= HEADER.size:
        found = HEADER.unpack_from(data)[3]
        for name in PRESETS:
            if (config := load(name)).hash == found:
                return config
        raise ImageError(
            f"The image is for configuration {found:08x}, which is no preset; name it with --config."
        )
    raise ImageError(f"The image is truncated: it has {len(data)} bytes.")
