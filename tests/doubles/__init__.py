"""Stand-ins for the world: deterministic, and able to say what they were asked."""
