"""The answers over HTTP, and the one port that doors and answers share: see `app.create_app`."""
