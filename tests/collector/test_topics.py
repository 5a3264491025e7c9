"""Topic templates name the client and the metric, and subscribe to each topic once."""

import re
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rejection import Rejected
from collector.topics import Rule, Topics
from telemetry.template import Match, TemplateError, TopicTemplate, needed

OUT_OF_THE_BOX = ("clients/{client}", "clients/{client}/telemetry", "clients/{client}/{metric}")


def topics_of(templates: Iterable[str]) -> Topics:
    """The topics of these templates."""
    return Topics(Rule(TopicTemplate(template)) for template in templates)


def named(templates: Iterable[str], topic: str) -> Match:
    """What a topic names."""
    place = topics_of(templates).route(topic).place
    return Match(place.client, place.metric)


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
    assert named(OUT_OF_THE_BOX, topic) == match


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
    topics = topics_of(OUT_OF_THE_BOX)
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            topics.route(topic)
        assert caught.value.reason == reason


@pytest.mark.parametrize("start", ["elsewhere", "clients/" + "x" * 600, "x" * 600 + "/a"])
def test_match_long_topics_cost_no_memory(start: str) -> None:
    """What is remembered of topics is bounded in bytes, whatever a client publishes to."""
    topics = topics_of(["clients/{client}", "x" * 600 + "/a/{client}/" + "x" * 50_000])
    tracemalloc.start()
    try:
        for number in range(100):
            with suppress(Rejected):
                topics.route(f"{start}/{number}/" + "x" * 50_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000


def test_match_topic_of_a_long_template_is_found() -> None:
    """A topic too long to be remembered is matched each time."""
    topics = topics_of(["x" * 600 + "/{client}"])
    for _ in range(2):
        assert topics.route("x" * 600 + "/a").place.client == "a"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "clients",
        "clients/{metric}",
        "{client}/{client}",
        "{part}/{metric}",
        "{client}/{path}/x",
        "{client}/{metric}/{path}",
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
    assert topics_of(OUT_OF_THE_BOX).filters == ("clients/+", "clients/+/+")


def test_filters_that_overlap_have_one_subscription_that_counts() -> None:
    """Of several copies of a message one is taken, whichever the broker sends first."""
    topics = topics_of(["a/{client}", "{client}/b", "{client}/{path}"])
    assert topics.filters == ("+/#",)
    topics = topics_of(["a/{client}", "{client}/b"])
    assert topics.filters == ("a/+", "+/b")
    routes = [topics.route(topic) for topic in ("a/x", "x/b", "a/b")]
    assert [route.subscription for route in routes] == [1, 2, 1]
    assert routes[2].place.client == "b"


def test_filter_that_is_refused_counts_no_more() -> None:
    """The broker delivers no copy for it, so another's is the one; of routes known before too."""
    topics = topics_of(["a/{client}", "{client}/b"])
    assert topics.route("a/b").subscription == 1
    topics.refuse("a/+")
    assert [topics.route(topic).subscription for topic in ("a/b", "x/b", "a/x")] == [2, 2, 0]


def test_filters_count_in_the_order_that_is_preferred() -> None:
    """Places are those of the new order; which template fits first does not change."""
    topics = topics_of(["a/{client}", "{client}/b"])
    topics.prefer(["+/b", "a/+"])
    assert topics.route("a/b").subscription == 1
    assert topics.route("a/b").place.client == "b"


LEVELS = st.lists(st.sampled_from(["a", "b", "+"]), min_size=1, max_size=3)
FILTERS = st.tuples(LEVELS, st.sampled_from([[], ["#"]])).map(
    lambda two: "/".join([*two[0], *two[1]])
)


@given(
    filters=st.lists(FILTERS, max_size=5),
    topic=st.lists(st.sampled_from("ab"), min_size=1, max_size=4),
)
def test_needed_filters_take_what_all_take(filters: list[str], topic: list[str]) -> None:
    """Leaving covered filters out loses no topic, and none that is left is covered."""
    reduced = needed(filters)
    assert any(_fits(name, topic) for name in reduced) == any(
        _fits(name, topic) for name in filters
    )
    for name in reduced:
        assert needed([*reduced, name]) == reduced
        others = [one for one in reduced if one != name]
        assert name in needed([*others, name])


def _fits(name: str, topic: list[str]) -> bool:
    pattern = re.escape(name).replace(r"\+", "[^/]+").replace(r"/\#", "(/.*)?")
    return re.fullmatch(pattern, "/".join(topic)) is not None
