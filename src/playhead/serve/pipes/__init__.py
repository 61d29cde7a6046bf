"""HTTP of pipes, SQL and tokens, in the shapes that clients of Tinybird know."""
