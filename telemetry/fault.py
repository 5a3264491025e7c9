"""Faults that somebody can do something about, and how a command tells them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Fault(Exception):
    """Something is not as it must be; the message is one sentence that says what to do.

    Attributes:
        exit_code: What a command ends with: 1 failed, 2 used wrongly, 128 and a signal killed.
    """

    exit_code = 1


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends a command with the sentence of a fault on standard error, and its exit status."""
    try:
        yield
    except Fault as fault:
        click.echo(f"Error: {fault}", err=True)
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        raise  # click ends quietly when nobody reads any more
    except OSError as error:
        click.echo(
            f"Error: {error.filename or 'the output'}: {error.strerror}; "
            "check its owner and the free space",
            err=True,
        )
        sys.exit(1)
