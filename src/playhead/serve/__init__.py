"""The answers over HTTP, and the one port that doors and answers share."""

from playhead.serve.app import create_app

__all__ = ["create_app"]
