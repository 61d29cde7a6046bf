"""Work that outlives a request: kept on disk, carried on after a stop."""
