"""Numbers of a YAML file that still know how they were written.

YAML makes 10.1 of ``10.10`` and 128 of ``0200``. Where a value is an address or a time in truth, that is another one.
Pure.
"""

from __future__ import annotations


class WrittenInt(int):
    """A whole number whose text in the file is another than Python's."""

    written: str

    def __str__(self) -> str:
        return self.written


class WrittenFloat(float):
    """A fraction whose text in the file is another than Python's."""

    written: str

    def __str__(self) -> str:
        return self.written


def keep_writing(value: object, text: str) -> object:
    """Return a number that prints as ``text``; other values, and numbers that print so anyway, as they are.

    >>> str(keep_writing(10.1, "10.10")), keep_writing(10.1, "10.10") == 10.1
    ('10.10', True)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or str(value) == text:
        return value
    number = WrittenInt(value) if isinstance(value, int) else WrittenFloat(value)
    number.written = text
    return number
