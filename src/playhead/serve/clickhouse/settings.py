"""Settings a client may send, and those it is told of."""

import re
from collections.abc import Iterable
from typing import Final

HONOURED: Final = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_json_quote_decimals": "0",
    "output_format_json_named_tuples_as_objects": "1",
    "output_format_json_escape_forward_slashes": "0",
    "output_format_json_array_of_rows": "0",
    "output_format_native_encode_types_in_binary_format": "0",
    "output_format_native_write_json_as_string": "0",
    "output_format_binary_write_json_as_string": "0",
    "output_format_csv_crlf_end_of_line": "0",
    "output_format_arrow_string_as_string": "1",
    "output_format_parquet_string_as_string": "1",
    "output_format_decimal_trailing_zeros": "0",
    "output_format_write_statistics": "1",
    "output_format_pretty_max_rows": "1000",
    "date_time_output_format": "simple",
    "session_timezone": "",
    "join_use_nulls": "0",
    "limit": "0",
    "offset": "0",
    "extremes": "0",
}
"""What concerns the answer alone: these are put in force for the query they come with."""
IGNORED: Final = {
    "readonly": "1",
    "max_execution_time": "0",
    "max_threads": "1",
    "max_block_size": "65409",
    "max_result_rows": "0",
    "max_result_bytes": "0",
    "result_overflow_mode": "throw",
    "max_query_size": "262144",
    "max_insert_threads": "0",
    "date_time_input_format": "best_effort",
    "enable_http_compression": "0",
    "http_zlib_compression_level": "3",
    "send_progress_in_http_headers": "0",
    "http_headers_progress_interval_ms": "100",
    "wait_end_of_query": "0",
    "cancel_http_readonly_queries_on_client_close": "0",
    "session_id": "",
    "session_timeout": "60",
    "use_query_cache": "0",
    "log_comment": "",
    "async_insert": "0",
    "wait_for_async_insert": "1",
    "final": "0",
    "compatibility": "",
    "allow_experimental_variant_type": "1",
    "allow_experimental_dynamic_type": "1",
    "allow_experimental_json_type": "1",
    "enable_json_type": "1",
    "cast_string_to_dynamic_use_inference": "0",
}
"""What clients send, too: it is taken and changes nothing."""
VALUE_CHARS_MAX: Final = 100
_VALUE: Final = re.compile(r"[A-Za-z0-9_.,:/@ +=-]*")


def known() -> dict[str, str]:
    """Return every setting a client is told of, with its value."""
    return HONOURED | IGNORED


def honoured(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return those settings of a request that are put in force; the others change nothing."""
    return {
        name: value
        for name, value in pairs
        if name in HONOURED and len(value) <= VALUE_CHARS_MAX and _VALUE.fullmatch(value)
    }
