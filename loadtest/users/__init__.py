"""Locust's side: who asks, and what is written down. Patched by gevent: asyncio must stay out of here."""
