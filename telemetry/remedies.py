"""What to do about a message that became no reading, by its topic. Pure."""

from telemetry.reasons import reason_of
from telemetry.template import TemplateError, TopicTemplate

_OWN = "clients"
_EXAMPLE = "temperature"
_OWN_LEVELS = 3  # clients/{client}/{metric}


def remedy_of(reason: str, topic: str, client: str = "") -> str:
    """What to do, one sentence in the imperative without its full stop; may hold foreign text.

    Args:
        reason: The collector's word for what is wrong.
        topic: The topic, or an empty string if there is none or it is not known.
        client: Whose it is, or an empty string; by the topic, if that says it.

    >>> remedy_of("no-metric", "clients/tank")
    'send it to clients/tank/temperature, or send an object: {"temperature": 21.5}'
    >>> remedy_of("decimal-comma", "clients/tank/level")
    'send 21.5 for 21,5'
    """
    if reason == "no-metric":
        return _named(topic) or reason_of(reason).advice
    if reason == "unmapped":
        return _mapped(topic, client) or reason_of(reason).advice
    return reason_of(reason).advice


def _named(topic: str) -> str:
    levels = topic.split("/")
    if levels[0] != _OWN or len(levels) < _OWN_LEVELS - 1 or not levels[1]:
        return ""
    named = "/".join([*levels[:2], _EXAMPLE])
    return f'send it to {named}, or send an object: {{"{_EXAMPLE}": 21.5}}'


def _mapped(topic: str, client: str) -> str:
    """A topic that is read out of the box, if the client has such; and the lines for this one."""
    levels = topic.split("/")
    own = levels[0] == _OWN and len(levels) > _OWN_LEVELS
    template = template_for(topic, levels[1] if own else client)
    if not template:
        return ""
    lines = (
        f'add two lines at the end of culex.toml, [[topics]] and template = "{template}", remove '
        "the # from the lines before them that begin with # [[topics]] or # template, which else "
        "hold no more, and start everything again"
    )
    if not own:
        return lines
    return f"send it to {'/'.join([*levels[:2], levels[-1] or _EXAMPLE])}, or {lines}"


def template_for(topic: str, client: str) -> str:
    """A topic template that takes the topic, or an empty string if none comes to mind.

    What follows the client is the metric, its levels joined with dots.

    >>> template_for("clients/tank/room/temperature", "tank")
    'clients/{client}/{path}'
    >>> template_for("plant/state/tank", "tank"), template_for("plant/state", "tank")
    ('plant/state/{client}', '')
    """
    levels = topic.split("/")
    if not client or client not in levels:
        return ""
    at = levels.index(client)
    text = "/".join([*levels[:at], "{client}", *(["{path}"] if levels[at + 1 :] else [])])
    if not text.isprintable() or '"' in text or "\\" in text:
        return ""
    try:
        return TopicTemplate(text).text
    except TemplateError:
        return ""
