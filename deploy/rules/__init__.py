"""What the API's models leave to us: each rule takes the definition of one service, and yields its mistakes.

A value of a wrong type is the schema's affair: a rule reads it as absent, and stays silent.
"""
