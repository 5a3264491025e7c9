"""How the lines of clients look: each in a colour of its own, as long as there are enough. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.style import CLIENT_COLOURS, client_colour

_DASHES = ("solid", "dash", "longdash", "dashdot")
"""Of clients that share a colour because there are more of them than colours; dots mean that a
mean is uncertain."""


class Look(NamedTuple):
    """How the line of a client is drawn: its colour, and the dash beside it."""

    colour: str
    dash: str


def looks_of(clients: Sequence[str]) -> dict[str, Look]:
    """Colour and dash of each client, no two the same while there are four dashes.

    A client has its own colour, the same every day, unless somebody else of those that are shown
    has it already: then the next one that is free. Who comes first by name keeps it.

    Args:
        clients: All that are compared, in their order: the first so many as there are colours have
            one each, whoever comes after them.
    """
    every, most = list(dict.fromkeys(clients)), len(CLIENT_COLOURS)
    looks: dict[str, Look] = {}
    for turn, start in enumerate(range(0, len(every), most)):
        dash = _DASHES[turn % len(_DASHES)]
        colours = _colours(every[start : start + most])
        looks |= {client: Look(colour, dash) for client, colour in colours.items()}
    return looks


def _colours(clients: Sequence[str]) -> dict[str, str]:
    """A colour for each of no more clients than there are colours."""
    owners = {client_colour(client): client for client in sorted(clients, reverse=True)}
    found = {client: colour for colour, client in owners.items()}
    for client in sorted(set(clients) - found.keys()):
        place = CLIENT_COLOURS.index(client_colour(client))
        others = (*CLIENT_COLOURS[place:], *CLIENT_COLOURS[:place])
        found[client] = next(colour for colour in others if colour not in found.values())
    return found
