"""What to do about a message that became no reading: what a beginner can type."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.reasons import known_reasons
from telemetry.remedies import remedy_of, template_for
from telemetry.settings import ROOT, Settings
from telemetry.template import TopicTemplate
from tests.telemetry.builders import steady

LEVEL = st.text(min_size=1, max_size=6).filter(lambda text: "/" not in text)


def test_empty_payload_is_told_what_to_send() -> None:
    """The sender did send nothing."""
    assert "for example 21.5" in remedy_of("empty", "clients/tank/level", "tank")


@pytest.mark.parametrize("topic", ["clients/tank", "clients/tank/telemetry"])
def test_value_without_a_name_is_told_where_to_send_it(topic: str) -> None:
    """The third level names what is measured."""
    assert remedy_of("no-metric", topic).startswith("send it to clients/tank/temperature, or")
    assert "{metric}" in remedy_of("no-metric", "plant/tank")


def test_deeper_topic_is_told_both_ways() -> None:
    """A topic that is read out of the box, or the lines that take this one as well."""
    remedy = remedy_of("unmapped", "clients/tank/room/temperature")
    assert remedy.startswith("send it to clients/tank/temperature, or add two lines")
    assert '[[topics]] and template = "clients/{client}/{path}"' in remedy


def test_topic_of_another_shape_is_told_its_template() -> None:
    """If it names the client; else the setting is named."""
    template = 'template = "plant/{client}/{path}"'
    assert template in remedy_of("unmapped", "plant/tank/level", "tank")
    assert remedy_of("unmapped", "plant/level", "tank").endswith("under [[topics]]")


def test_lines_for_the_settings_do_what_they_promise() -> None:
    """In the file as it is shipped, with what the remedy says done to it."""
    file = (ROOT / "culex.toml").read_text("utf-8")
    file = re.sub(r"^# (\[\[topics\]\]|template )", r"\1", file, flags=re.MULTILINE)
    file += '[[topics]]\ntemplate = "clients/{client}/{path}"\n'
    found = Settings.model_validate(tomllib.loads(file))
    shipped = [one.template for one in Settings.model_fields["topics"].default]
    assert [one.template for one in found.topics] == [*shipped, "clients/{client}/{path}"]


@steady
@given(st.lists(LEVEL, min_size=1, max_size=5), st.text(max_size=6))
def test_template_takes_its_topic_and_is_written_as_settings_are(
    levels: list[str], client: str
) -> None:
    """Whatever the levels hold."""
    text = template_for("/".join(levels), client)
    if text:
        match = TopicTemplate(text).match(levels)
        assert match is not None
        assert match.client == client
        assert tomllib.loads(f'[[topics]]\ntemplate = "{text}"') == {"topics": [{"template": text}]}


@given(st.sampled_from(sorted(known_reasons())), st.text(), st.text())
def test_every_reason_has_a_remedy(reason: str, topic: str, client: str) -> None:
    """On any topic of anybody."""
    assert remedy_of(reason, topic, client)
