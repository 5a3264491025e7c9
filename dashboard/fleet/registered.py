"""Clients that were let in here: those that nobody has seen yet, and those that are shut out."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from dashboard.engine import Engine
from dashboard.fleet.members import Apart, Member
from dashboard.presence import State
from dashboard.sight import seen_names
from mosquitto.access import Client

_HERE = {State.CONNECTED, State.REPORTING}


def registered(engine: Engine) -> Mapping[str, Client]:
    """The clients that were let in, by name, as far as whoever asks may see them.

    At an existing broker nobody is let in here. Of the simulated fleet only what may speak counts.

    Raises:
        AccessError: If access.db cannot be read.
    """
    if engine.settings.existing_broker:
        return {}
    names = seen_names(engine.settings.access_path)
    every = engine.access.clients()
    return {one.name: one for one in every if names is None or one.name in names}


def with_registered(members: Sequence[Member], known: Mapping[str, Client]) -> list[Member]:
    """The members, then those that are not in use: shut out, or let in and never seen.

    Args:
        members: Those of whom anything came, the worst first.
        known: The clients that were let in, by name.
    """
    in_use = [one for one in members if not _is_shut_out(one, known)]
    shut_out = [
        one._replace(state=Apart.SHUT_OUT, words="its login is disabled")
        for one in members
        if _is_shut_out(one, known)
    ]
    unseen = _unseen(known.values(), {one.client for one in members})
    return in_use + sorted([*unseen, *shut_out], key=lambda one: (one.state, one.client))


def _is_shut_out(member: Member, known: Mapping[str, Client]) -> bool:
    """Whether its login is disabled; one that speaks all the same is in use."""
    client = known.get(member.client)
    return client is not None and not client.enabled and member.state not in _HERE


def _unseen(known: Iterable[Client], seen: Collection[str]) -> list[Member]:
    return [
        _member(one) for one in known if one.name not in seen and (one.enabled or not one.simulated)
    ]


def _member(client: Client) -> Member:
    state = Apart.UNSEEN if client.enabled else Apart.SHUT_OUT
    words = "added, but not seen yet" if client.enabled else "its login is disabled"
    return Member(client.name, state, words, 0, 0, (), 0, client.simulated)
