"""No error leaves a callback, and none vanishes."""

from structlog.testing import capture_logs

from collector.containment import contained


def test_contained_callback_that_raises_is_logged_with_its_stack() -> None:
    """The caller sees nothing, the log says which callback and why."""

    @contained
    def on_something(number: int) -> None:
        raise RuntimeError(f"error {number}")

    with capture_logs() as lines:
        on_something(1)
    (line,) = lines
    assert (line["callback"], line["log_level"]) == ("on_something", "error")
    assert line["exc_info"] is True
