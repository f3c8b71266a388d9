"""What Koyeb has: regions, instance types, the bounds of its forms.

Sources: Koyeb docs, "reference/instances" and "reference/regions"; the control panel's
service-form.schema.ts. ``GET /v1/catalog/regions`` and ``/v1/catalog/instances`` tell the same of the day,
and need no token.
"""

from __future__ import annotations

from typing import Final

REGIONS: Final = ("fra", "par", "sfo", "sin", "tyo", "was")

# Memory in MB.
INSTANCES: Final = {
    "free": 512,
    "eco-nano": 256,
    "eco-micro": 512,
    "eco-small": 1024,
    "nano": 256,
    "micro": 512,
    "small": 1024,
    "medium": 2048,
    "large": 4096,
}
FREE: Final = "free"


def offered(instance_type: str) -> tuple[str, ...]:
    """The regions that have this type."""
    if instance_type == FREE:
        return ("fra", "was")
    return ("fra", "sin", "was") if instance_type.startswith("eco-") else REGIONS


# Lengths of names, inclusive.
APP_NAME: Final = (3, 64)
SERVICE_NAME: Final = (2, 63)

# What a number may be, inclusive; times are seconds.
PORT: Final = (1, 64_999)
SCALE: Final = (0, 20)
HEALTH_CHECK: Final = {
    "grace_period": (5, 900),
    "interval": (3, 300),
    "restart_limit": (1, 10),
    "timeout": (1, 600),
}
