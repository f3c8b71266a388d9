"""The same statements direct and through the proxy: the answers must be equal byte by byte."""
