"""CMCD (CTA-5004-B) and CMSD (CTA-5006): what players and servers say along media requests."""

from playhead.model.cmcd.record import Cmcd, decode_headers, decode_line, decode_query
from playhead.model.cmcd.report import events_of
from playhead.model.cmcd.values import written

__all__ = ["Cmcd", "decode_headers", "decode_line", "decode_query", "events_of", "written"]
