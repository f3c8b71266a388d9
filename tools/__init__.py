"""The workshop: programs that set up, check and demonstrate the project. Nothing here is shipped."""
