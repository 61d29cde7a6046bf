"""Deployments: a changed project beside the live one, with its rows."""
