"""What every section of the settings is."""

import msgspec

GIB = 1 << 30
MIB = 1 << 20


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; an unknown key is an error, not a surprise."""
