"""Places for exports: never more than so many, and none is lost."""

from collections.abc import Iterator

import pytest

from dashboard.exports import Exports, TooManyExports


def parts() -> Iterator[bytes]:
    """Two parts."""
    yield b"a"
    yield b"b"


def failing() -> Iterator[bytes]:
    """One part, then a fault."""
    yield b"a"
    raise ValueError("middle")


def test_export_beyond_the_most_is_refused_until_one_ends() -> None:
    """A place is free when its export was read to the end."""
    exports = Exports(1)
    first = exports.begin(parts)
    with pytest.raises(TooManyExports, match="too many exports at once; try again shortly"):
        exports.begin(parts)
    assert list(first) == [b"a", b"b"]
    assert list(exports.begin(parts)) == [b"a", b"b"]


def test_export_closed_before_its_end_frees_its_place_once() -> None:
    """Closing one that never began, or twice, frees one place and not two."""
    exports = Exports(1)
    unread = exports.begin(parts)
    unread.close()
    unread.close()
    half = exports.begin(parts)
    assert next(half) == b"a"
    with pytest.raises(TooManyExports):
        exports.begin(parts)
    half.close()
    exports.begin(parts).close()


def test_export_that_fails_frees_its_place() -> None:
    """At its start and in its middle, and the fault is passed on."""
    exports = Exports(1)

    def broken() -> Iterator[bytes]:
        raise ValueError("start")

    with pytest.raises(ValueError, match="start"):
        exports.begin(broken)
    with pytest.raises(ValueError, match="middle"):
        list(exports.begin(failing))
    exports.begin(parts).close()
