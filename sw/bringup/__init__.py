"""Bring-up: finds out what the links of a system are like, and which of them fail."""
