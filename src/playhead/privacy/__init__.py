"""What is kept about one viewer: found, handed out, deleted."""
