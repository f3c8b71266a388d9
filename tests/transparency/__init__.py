"""What a client can see is equal with and without the proxy: the same bytes said to both, the replies compared."""
