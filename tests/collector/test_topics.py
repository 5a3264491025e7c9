"""Topic templates name the client and the metric, and subscribe to each topic once."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rejection import Rejected
from collector.topics import Topics, disjoint
from telemetry.template import Match, TemplateError, TopicTemplate

OUT_OF_THE_BOX = ("clients/{client}", "clients/{client}/telemetry", "clients/{client}/{metric}")


@pytest.mark.parametrize(
    ("topic", "match"),
    [
        ("clients/a", Match("a", "")),
        ("clients/a/telemetry", Match("a", "")),
        ("clients/a/temperature", Match("a", "temperature")),
        ("clients/a b 1 <b>/%2e%2e", Match("a b 1 <b>", "%2e%2e")),
        ("clients/ä٣/'; DROP TABLE reading", Match("ä٣", "'; DROP TABLE reading")),
        ("clients/../passwd", Match("..", "passwd")),
    ],
)
def test_match_topic_that_fits_keeps_names_exactly(topic: str, match: Match) -> None:
    """Client and metric are what stands in the topic, character by character."""
    assert Topics(OUT_OF_THE_BOX).match(topic) == match


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("clients/", "no-client"),
        ("clients//temperature", "no-client"),
        ("clients/a/", "no-metric"),
        ("/clients/a", "unmapped"),
        ("clients/a/b/c", "unmapped"),
        ("Clients/a", "unmapped"),
        ("", "unmapped"),
        ("clients/" + "a" * 257, "long-name"),
        ("clients/a\x85/b", "control-character"),
        ("clients/a/\udcff", "not-utf8"),
    ],
)
def test_match_topic_that_names_nobody_is_rejected(topic: str, reason: str) -> None:
    """A topic without a usable client or metric is rejected with its reason, each time."""
    topics = Topics(OUT_OF_THE_BOX)
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            topics.match(topic)
        assert caught.value.reason == reason


@pytest.mark.parametrize("start", ["elsewhere", "clients/" + "x" * 600, "x" * 600 + "/a"])
def test_match_long_topics_cost_no_memory(start: str) -> None:
    """What is remembered of topics is bounded in bytes, whatever a client publishes to."""
    topics = Topics(["clients/{client}", "x" * 600 + "/a/{client}/" + "x" * 50_000])
    tracemalloc.start()
    try:
        for number in range(100):
            with suppress(Rejected):
                topics.match(f"{start}/{number}/" + "x" * 50_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000


def test_match_topic_of_a_long_template_is_found() -> None:
    """A topic too long to be remembered is matched each time."""
    topics = Topics(["x" * 600 + "/{client}"])
    assert topics.match("x" * 600 + "/a") == topics.match("x" * 600 + "/a") == Match("a", "")


@pytest.mark.parametrize(
    "template",
    [
        "",
        "clients",
        "clients/{metric}",
        "{client}/{client}",
        "clients/{client}/{metric}/{metric}",
        "clients/c-{client}",
        "clients/{client}/+",
        "clients/{client}/#",
        "clients/{client}/{unit}",
        "$share/a/{client}",
    ],
)
def test_template_that_cannot_work_is_refused_by_name(template: str) -> None:
    """A template without exactly one client, or with a wildcard, is an error that names it."""
    with pytest.raises(TemplateError, match="topic template") as caught:
        TopicTemplate(template)
    assert repr(template) in str(caught.value)


def test_topics_without_templates_are_refused() -> None:
    """No template at all is an error that says what to write."""
    with pytest.raises(TemplateError, match="write one"):
        Topics([])


def test_filters_out_of_the_box_are_disjoint() -> None:
    """The filter of `telemetry` is covered by that of the metrics and is left out."""
    assert Topics(OUT_OF_THE_BOX).filters == ("clients/+", "clients/+/+")


def test_filters_that_overlap_in_part_are_refused() -> None:
    """Two filters that share topics, neither covering the other, are an error that names both."""
    with pytest.raises(TemplateError, match=r"'a/\+'.*'\+/b'"):
        disjoint(["a/+", "+/b"])


LEVELS = st.lists(st.sampled_from(["a", "b", "+"]), min_size=1, max_size=3).map("/".join)


@given(filters=st.lists(LEVELS, max_size=5), topic=st.lists(st.sampled_from("ab"), max_size=3))
def test_disjoint_filters_take_each_topic_once(filters: list[str], topic: list[str]) -> None:
    """What some filter took, exactly one of the reduced filters takes."""
    try:
        reduced = disjoint(filters)
    except TemplateError:
        return
    takers = [name for name in reduced if _takes(name, topic)]
    assert len(takers) == any(_takes(name, topic) for name in filters)


def _takes(name: str, topic: list[str]) -> bool:
    levels = name.split("/")
    return len(levels) == len(topic) and all(
        mine in ("+", level) for mine, level in zip(levels, topic, strict=True)
    )
