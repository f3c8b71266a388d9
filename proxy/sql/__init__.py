"""The room of meaning: what one SQL text reads, may change and does to its session; no protocol.

``analyse`` is the door, ``analysis`` the answer; ``proof`` holds the reasoning
about answers worth remembering.
"""
