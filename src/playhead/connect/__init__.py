"""Connections to other systems: where events come from and go to."""
