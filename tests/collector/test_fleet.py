"""What each simulated client publishes, read back by the collector's own decoder."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fleet import FLAKY, FLEET, Mood, Publication, Simulated
from collector.message import Message
from collector.signals import sample
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translation, Translator
from telemetry.reading import Kind
from telemetry.settings import DEMO_CLIENTS, Settings
from telemetry.template import TopicTemplate
from telemetry.window import SECOND_US, Window

DAY_US = 86_400 * SECOND_US
START_US = 20_780 * DAY_US
DAY = Window(START_US, START_US + DAY_US)

clients = st.sampled_from(FLEET)
instants = st.integers(START_US, START_US + 30 * DAY_US)
(flaky,) = (client for client in FLEET if client.name == FLAKY)


def translated(publication: Publication, received_us: int) -> Translation:
    """What the collector makes of it by the templates that are in force out of the box."""
    templates = (topic.template for topic in Settings.model_fields["topics"].default)
    topics = Topics(Rule(TopicTemplate(template)) for template in templates)
    translator = Translator(topics, Tolerance(60 * SECOND_US, 300 * SECOND_US), lambda _: True, {})
    message = Message(publication.topic, publication.payload, received_us)
    return translator.translate(message, topics.route(message.topic))


def test_fleet_has_everybody_who_has_a_login() -> None:
    """The fleet's names are those that `mosquitto/` gives logins, and their steps differ."""
    assert tuple(client.name for client in FLEET) == DEMO_CLIENTS
    steps = {client.step_us for client in FLEET}
    assert len(steps) == len(FLEET)
    assert (min(steps), max(steps)) == (3 * SECOND_US, 15 * SECOND_US)


@given(clients, instants)
def test_past_of_any_instants_holds_every_metric_at_each(client: Simulated, moment_us: int) -> None:
    """One message tells all metrics with their units, at exactly those times."""
    first_us = client.after(moment_us)
    times_us = range(first_us, first_us + 3 * client.step_us, client.step_us)
    translation = translated(client.past(times_us), times_us[-1] + 5)
    assert not translation.faults
    assert sorted((r.time_us, r.series.metric, r.value, r.unit) for r in translation.readings) == [
        (time_us, metric, measure.value, measure.unit)
        for time_us in times_us
        for metric, measure in sorted(sample(client.name, time_us).items())
    ]
    assert client.probe in sample(client.name, first_us)


@given(clients.filter(lambda client: client is not flaky), instants)
def test_live_of_a_steady_client_holds_every_metric_once(client: Simulated, moment_us: int) -> None:
    """Timed and bare messages together are the same readings as the past of that instant."""
    time_us = client.after(moment_us)
    live = [r for one in client.live(time_us) for r in translated(one, time_us).readings]
    past = translated(client.past([time_us]), time_us).readings
    said = {(r.series, r.value, r.kind) for r in live}
    assert said == {(r.series, r.value, r.kind) for r in past}
    assert len(live) == len(past)


def test_bare_values_are_a_boolean_and_a_state() -> None:
    """The burner is published as on or off, the vent as a word, each on its own topic."""
    kinds = {
        reading.series.metric: reading.kind
        for client in FLEET
        for one in client.live(START_US)
        if not one.topic.endswith("/telemetry")
        for reading in translated(one, START_US).readings
    }
    assert kinds == {"burner": Kind.BOOLEAN, "vent": Kind.STATE}


def test_instants_of_a_window_are_multiples_of_the_step_within_it() -> None:
    """A window holds its start and not its end."""
    battery = next(client for client in FLEET if client.name == "demo-battery")
    window = Window(START_US, START_US + 9 * SECOND_US)
    assert battery.instants(window) == list(range(START_US, window.end_us, 3 * SECOND_US))


def test_flaky_client_over_a_day_shows_every_mood() -> None:
    """It reports most of the time, and repeats, garbles, breaks off and is silent now and then."""
    moments = range(DAY.start_us, DAY.end_us, flaky.step_us)
    shares = Counter(flaky.mood(one) for one in moments)
    assert set(shares) == set(Mood)
    assert shares[Mood.STEADY] > len(moments) / 2
    assert max(gaps(flaky.instants(DAY))) > 120 * SECOND_US


def gaps(times_us: list[int]) -> list[int]:
    """The time between neighbours."""
    return [after - before for before, after in pairwise(times_us)]


def test_flaky_client_repeating_says_the_same_twice() -> None:
    """A repeated message is the same byte for byte, so it is one reading."""
    first, second = flaky.live(next_instant(Mood.REPEATING))
    assert first == second


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.BREAKING])
def test_flaky_client_silent_or_breaking_says_nothing(mood: Mood) -> None:
    """Nothing is published."""
    assert not flaky.live(next_instant(mood))


def test_flaky_client_garbling_says_nothing_that_is_a_reading() -> None:
    """Whatever garbage it sends is rejected with a reason."""
    garbled = [
        one
        for one in range(DAY.start_us, DAY.end_us, flaky.step_us)
        if flaky.mood(one) is Mood.GARBLED
    ]
    seen = set()
    for moment in garbled:
        (publication,) = flaky.live(moment)
        translation = translated(publication, moment)
        assert not translation.readings
        seen |= {fault.reason for fault in translation.faults}
    assert seen == {"malformed-json", "binary", "decimal-comma", "non-finite", "empty"}


def next_instant(mood: Mood) -> int:
    """The first instant of the day at which the flaky client is in that mood."""
    moments = range(DAY.start_us, DAY.end_us, flaky.step_us)
    return next(one for one in moments if flaky.mood(one) is mood)
