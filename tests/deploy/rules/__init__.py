"""The rules: each is shown by a mistake planted into the project's own manifest."""
