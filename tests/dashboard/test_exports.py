"""Places for exports: never more than so many, and none is lost."""

from collections.abc import Callable, Iterator

import pytest

from dashboard.exports import Exports, Stream, TooManyExports


def parts() -> Iterator[bytes]:
    """Two parts."""
    yield b"a"
    yield b"b"


def failing() -> Iterator[bytes]:
    """One part, then a fault."""
    yield b"a"
    raise ValueError("middle")


def begun(exports: Exports, start: Callable[[], Iterator[bytes]]) -> Stream:
    """An export in a place of its own."""
    with exports.place() as place:
        return Stream(start(), place.pop_all())


def test_export_beyond_the_most_is_refused_until_one_ends() -> None:
    """A place is free when its export was read to the end."""
    exports = Exports(1)
    first = begun(exports, parts)
    with pytest.raises(TooManyExports, match="too many exports at once; try again shortly"):
        begun(exports, parts)
    assert list(first) == [b"a", b"b"]
    assert list(begun(exports, parts)) == [b"a", b"b"]


def test_export_closed_before_its_end_frees_its_place_once() -> None:
    """Closing one that never began, or twice, frees one place and not two."""
    exports = Exports(1)
    unread = begun(exports, parts)
    unread.close()
    unread.close()
    half = begun(exports, parts)
    assert next(half) == b"a"
    with pytest.raises(TooManyExports):
        begun(exports, parts)
    half.close()
    begun(exports, parts).close()


def test_export_that_fails_frees_its_place() -> None:
    """At its start and in its middle, and the fault is passed on."""
    exports = Exports(1)

    def broken() -> Iterator[bytes]:
        raise ValueError("start")

    with pytest.raises(ValueError, match="start"):
        begun(exports, broken)
    with pytest.raises(ValueError, match="middle"):
        list(begun(exports, failing))
    begun(exports, parts).close()
