"""The MCP server: endpoints of the project, and guarded SQL, as tools of an assistant."""
