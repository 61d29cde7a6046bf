"""Recorded files as a source: lines, mappings, pace, sending, and how far it got."""
