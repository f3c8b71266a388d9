"""Load and distance: what measures the house from outside. It knows neither app/ nor proxy/."""
