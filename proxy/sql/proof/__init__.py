"""Proofs over parse trees: which answers may be remembered, and which statements write nothing unseen.

Everything is denied by default: a node, name or type that no rule here admits makes the statement a bypass,
and where it could run code that nobody vouches for, of unknown reach.
"""
