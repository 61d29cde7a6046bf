"""Playhead: open-source, self-hosted, real-time analytics for video streaming."""

__version__ = "0.1.0"
__all__ = ["__version__"]
