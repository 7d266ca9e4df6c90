"""The Llama front end: checkpoints, tokenizer, and the graph of one decode step."""
