"""Simulated viewers: an honest audience for demos, tests and benches."""
