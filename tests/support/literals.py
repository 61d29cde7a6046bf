"""A reader of the engine's lexer rules, written apart from the product: where quotes begin and end."""

ESCAPED = {"0": "\0", "b": "\b", "t": "\t", "n": "\n", "r": "\r"}
TYPOGRAPHIC = {"\u2018": "\u2019", "\u201c": "\u201d"}


def read_text(sql: str, at: int = 0) -> tuple[str, int]:
    """Return the text of the literal that begins at `at`, and where it ends.

    `\\%` and `\\z` are what the engine makes of them: two characters.
    """
    assert sql[at] == "'"
    out, at = [], at + 1
    while sql[at] != "'":
        if sql[at] == "\\":
            at += 1
            out.append(ESCAPED.get(sql[at], f"\\{sql[at]}" if sql[at] in "%z" else sql[at]))
        else:
            out.append(sql[at])
        at += 1
    return "".join(out), at + 1


def outside(sql: str) -> str:
    """Return what of the SQL stands in no quotes and no comment, character by character."""
    out: list[str] = []
    at = 0
    while at < len(sql):
        end = _end(sql, at)
        if end == at:
            out.append(sql[at])
            end += 1
        at = end
    return "".join(out)


def _end(sql: str, at: int) -> int:
    """Return where the quotes or the comment that begin at `at` end; `at` if none do."""
    here = sql[at]
    if here in "'\"`":
        at += 1
        while at < len(sql) and sql[at] != here:
            at += 2 if sql[at] == "\\" else 1
        return at + 1
    if here in TYPOGRAPHIC:
        found = sql.find(TYPOGRAPHIC[here], at)
        return len(sql) if found < 0 else found + 1
    if sql.startswith(("--", "//", "# ", "#!"), at):
        found = sql.find("\n", at)
        return len(sql) if found < 0 else found
    if sql.startswith("/*", at):
        return _comment_end(sql, at)
    return at


def _comment_end(sql: str, at: int) -> int:
    depth = 0
    while at < len(sql):
        if sql.startswith(("/*", "*/"), at):
            depth += 1 if sql[at] == "/" else -1
            at += 2
            if depth == 0:
                return at
        else:
            at += 1
    return at
