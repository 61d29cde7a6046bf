"""What is kept of a person, and what a deletion looks at."""

from typing import Literal

from playhead.config.section import Section


class Privacy(Section, frozen=True):
    """What is kept about viewers."""

    viewer_ids: Literal["keep", "daily", "drop"] = "keep"
    """Ids of viewers: `keep` as players send them; `daily`: a salted hash of another value each day;
    `drop`: none. Sessions and views go on as they are."""
    gpc: Literal["daily", "drop", "ignore"] = "daily"
    """The same of requests with Global Privacy Control (`Sec-GPC: 1`), whatever their pages ask for;
    `ignore`: as all others."""
    viewer_columns: tuple[str, ...] = ()
    """Columns of the project's data sources that hold ids of viewers, as `data_source.column`:
    exports and deletions of a viewer look there, too."""
