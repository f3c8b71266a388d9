"""Many clients over few connections to the origin: each checks its own replies and its own settings."""
