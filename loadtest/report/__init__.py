"""The report: one page that carries everything it shows, for light and dark."""
