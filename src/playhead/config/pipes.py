"""The settings of projects, their endpoints and SQL from outside."""

from playhead.config.section import GIB, MIB, Section


class Pipes(Section, frozen=True):
    """Projects, their endpoints and SQL from outside."""

    default_project: bool = True
    """Build the project that ships into an empty data folder."""
    timeout_ms: int = 10_000
    """How long one query of an endpoint or of /v0/sql may take."""
    max_result_bytes: int = 100 * MIB
    """Most bytes of one answer."""
    max_result_rows: int = 1_000_000
    """Most rows of one answer."""
    max_rows_to_read: int = 2_000_000_000
    """Most rows one query may read."""
    max_memory_bytes: int = 1 * GIB
    """Most memory of one query."""
    max_threads: int = 1
    """Threads of one query; the order of rows without ORDER BY is kept by one."""
    requests_per_second_per_token: int = 0
    """Requests a token may make each second; 0 is no limit. A token may have a limit of its own."""
    max_concurrent_per_token: int = 3
    """Queries of one token that run at once; fewer than the store runs, so that others get through."""
    max_waiting_per_token: int = 64
    """Queries of one token that may wait for their turn; beyond it 503."""
    max_query_bytes: int = 262_144
    """Longest query, as it is sent and as it is once pipes are put in for their names."""
    max_query_depth: int = 200
    """Deepest nesting of one query."""
    max_query_nodes: int = 20_000
    """Most parts (names, functions, literals) of one query once pipes are put in for their names."""
    max_pipe_depth: int = 20
    """How many pipes may stand on each other."""
    max_template_steps: int = 100_000
    """Steps one rendering of a template may take."""
    max_template_bytes: int = 1 * MIB
    """Most text one rendering may make."""
    max_parameters: int = 200
    """Most parameters of one request."""
    max_body_bytes: int = 1 * MIB
    """Longest body of one request to an endpoint or to /v0/sql."""
    cache_entries: int = 1_000
    """Most answers kept of endpoints with cache_ttl."""
    cache_bytes: int = 64 * MIB
    """Memory for answers kept."""
    prepared_entries: int = 2_000
    """Most checked queries kept, so that the same text is not checked again."""
    max_workspaces: int = 20
    """Most workspaces beside the main one; `tb --local` makes one a project and one a test run."""
    test_workspace_idle_ms: int = 60_000
    """A workspace of a test run that nobody asks for this long is deleted; `tb` forgets its own."""
    max_project_bytes: int = 64 * MIB
    """Longest body that brings a whole project."""
    max_variables: int = 1_000
    """Most variables (secrets) of one workspace."""
    reload_ms: int = 250
    """How often the server looks whether a project was built anew."""
