"""Histories: many real clients, real faults, and a checker that explains each read or names it.

The way in: ``run`` (what happens), ``clients/`` (who reads and writes), ``faults`` (what breaks), ``history``
(what is written down), ``checking/`` (what PostgreSQL could have answered), ``broken_proxy`` (laws broken on
purpose: the checker must find each).
"""
