"""Text, tokenizer and model of `scripts/train_llama.py`."""
