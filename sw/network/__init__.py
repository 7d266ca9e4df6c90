"""The scheduled network: which vector stands on which link in which cycle, fixed before anything runs."""
