"""What a client can see is equal with and without the proxy: the same said to both, byte by byte."""
