"""Tests of the proofs: each hazard has a test named after it."""
