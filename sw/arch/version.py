"""The version of this project; `pyproject.toml` says the same."""

VERSION = "0.1.0"
