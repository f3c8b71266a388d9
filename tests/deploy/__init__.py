"""The deployment: mirrors ``deploy``."""
