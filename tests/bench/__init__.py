"""Measures the budget table; see docs/performance.md."""
