"""Building: a project's files become tables, materialized views and endpoints; its tests run."""
