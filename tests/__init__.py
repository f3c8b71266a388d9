"""The tests; the tree below proxy/, app/ and loadtest/ mirrors the code, file for file."""
