"""What a project's files say: data sources, pipes, connections, fixtures, tests. Pure: no store."""
