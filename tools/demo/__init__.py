"""The demonstration: a planets app on a far database, direct and through the proxy, by one command."""
