"""The laws of the memory, each against random histories, and planted breaches that the laws must find."""
