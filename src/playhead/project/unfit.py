"""A value that a column cannot hold."""


class Unfit(ValueError):
    """The value does not fit the column's type; its text, if any, says more than that."""
