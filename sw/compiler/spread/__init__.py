"""An ordinary graph becomes an equal one that is spread over chips (see `docs/compiler.md`)."""
