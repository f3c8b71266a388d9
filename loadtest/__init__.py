"""Load and distance: what measures the house from outside. It knows neither app/ nor proxy/.

Two programs that never meet in one process. Locust's side (``locustfile``, ``users``) is patched by gevent:
it asks, and writes down how long each answer took. The other side (``__main__``, ``comparison``, ``summary``,
``report``) starts the parts and Locust, looks at the proxy's ``/stats`` meanwhile, and says what came out.
Shared by both, and free of any I/O but files: ``popularity``, ``visits``, ``samples``, ``proxy_stats``.
By itself stands ``distance``, the delay relay.
"""
