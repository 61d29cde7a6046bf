"""Where the store answers, by the settings."""

from playhead.config import Config
from playhead.store.location import Location, embedded


def location_of(config: Config) -> Location:
    """Return the socket of the embedded store, or the URL of a server."""
    if config.store.kind == "clickhouse":
        return Location(url=config.store.url)
    return embedded(config.data_dir)
