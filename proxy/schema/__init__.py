"""The schema room: what the origin's catalogue says of one database, and how far a write goes in it.

Data and functions; ``net/catalogue.py`` does the asking.
"""
