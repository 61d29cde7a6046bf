"""The template language of pipes: text with expressions in, SQL out. Pure: no store, no Python."""
