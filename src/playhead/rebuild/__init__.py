"""Folding stored events again, beside the live rows: `playhead rebuild`."""
