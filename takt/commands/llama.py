"""`takt llama`: a language model writes, token by token."""

import codecs
import time
from pathlib import Path

import click

from sw.arch.config import Config
from sw.compiler.llama.generate import generate
from sw.compiler.llama.sample import Sampler
from sw.compiler.llama.tokenizer import Tokenizer
from takt.model import MACHINES, Model, compile
from takt.options import config_option, is_compiled, path
from takt.sources import LLAMA_PRECISIONS, shipped
from takt.systems import chips_option, chosen, links_option

#: Clock of the published chip; an assumption, nothing here has been timed in silicon.
CLOCK_MHZ = 900


@click.command()
@click.argument("checkpoint", type=path(), required=False)
@click.option("--prompt", default="", help="Text to go on from; by default a new text.")
@click.option("--tokens", type=click.IntRange(1), default=100, show_default=True, help="Tokens to write at the most.")
@click.option("--temperature", type=click.FloatRange(0), default=0.0, show_default=True, help="0 takes the likeliest.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True,
              help="Draws from the likeliest tokens that make up this share.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option("--on", type=click.Choice(MACHINES), default="golden", show_default=True,
              help="The golden model, or the Verilog in Verilator (built once a configuration).")  # fmt: skip
@click.option("--precision", type=click.Choice(LLAMA_PRECISIONS), help="Of the products, fp16 by default.")
@click.option("--tokenizer", type=path(), help="llama2.c's file; by default tokenizer.bin beside the checkpoint.")
@click.option("--context", type=click.IntRange(1), help="Positions to keep; by default all that the model knows.")
@chips_option()
@links_option()
@config_option()
def command(
    checkpoint: Path | None, prompt, tokens, temperature, top_p, seed, on, precision, tokenizer, context, chips, links,
    config: Config | None,
) -> None:
    """Writes text with the language model in CHECKPOINT, by default the one that comes with Takt.

    CHECKPOINT is a llama2.c .bin file, a folder with config.json and model.safetensors, or a program that
    `takt compile` made of one, which has its chip and precision. Tokens come as they are made; the line at the end
    says in how many cycles.

    \b
    Example:
      takt llama --prompt "And Moses said" --tokens 60 --temperature 0.8 --seed 7
    """
    sampler, source = Sampler(temperature, top_p, seed), checkpoint or shipped()
    if is_compiled(source):
        if config or precision or tokenizer or context or chips or links:
            raise click.UsageError(f"{source} is compiled: its chips, links, precision, tokenizer and context are fixed.")
        model = Model.read(source)
    else:
        model = compile(source, chosen(config, chips, links), precision, tokenizer, context)
    if not model.container.about.context or "logits" not in model.container.compiled.outputs:
        raise click.UsageError(f"{source} is no language model that leaves the choice of tokens to the host.")
    if not model.container.about.tokenizer:
        raise click.UsageError(f"{source} has no tokenizer.bin beside it; name one with --tokenizer.")
    words = Tokenizer.parse(model.container.about.tokenizer, f"The tokenizer of {source}")
    given, cycles = words.encode(prompt), []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with model.session(on) as session:
        begin = time.monotonic()
        for said in generate(session.step, given, sampler, tokens, model.container.about.context):
            click.echo(decoder.decode(words.piece(said.previous, said.token)), nl=False)
            cycles.append(session.cycles)
        seconds = time.monotonic() - begin
    click.echo(decoder.decode(b"", final=True))
    measured = " to ".join(f"{number:,}" for number in sorted({min(cycles), max(cycles)}))
    where = {"golden": "golden model", "rtl": "RTL"}[on]
    click.echo(
        f"{len(cycles)} tokens on the {where}: {model.cycles:,} cycles a token predicted, {measured} measured; "
        f"{CLOCK_MHZ * 1e6 / model.cycles:,.0f} tokens/s at {CLOCK_MHZ} MHz (assumed clock), "
        f"{len(cycles) / seconds:.3g} tokens/s here.",
        err=True,
    )
