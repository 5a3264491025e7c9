"""What a broker does not grant is seen on each connection."""

from types import SimpleNamespace

from collector.dialect import Version
from collector.terms import Terms, terms_of


def test_terms_not_spoken_of_are_as_we_asked() -> None:
    """A CONNACK without properties grants everything."""
    terms = terms_of(SimpleNamespace(), 20, Version.V5)
    assert terms == Terms(20)
    assert list(terms.troubles()) == []


def test_terms_of_a_poor_broker_are_told() -> None:
    """A session that expires and no acknowledgement can lose messages."""
    said = SimpleNamespace(
        ServerKeepAlive=7,
        SessionExpiryInterval=60,
        MaximumQoS=0,
        SubscriptionIdentifierAvailable=0,
    )
    terms = terms_of(said, 20, Version.V5)
    assert terms == Terms(7, 60, 0, identifiers=False)
    assert list(terms.troubles()) == [
        "it keeps what we miss for 60 s only",
        "it offers no acknowledged delivery",
    ]


def test_terms_never_let_us_be_silent_for_longer_than_we_asked() -> None:
    """A broker that is patient, or does not count at all, is asked as often as any."""
    for seconds in (0, 3600):
        said = SimpleNamespace(ServerKeepAlive=seconds)
        assert terms_of(said, 20, Version.V5).keep_alive_s == 20


def test_terms_of_mqtt_3_1_1_have_no_names_for_subscriptions() -> None:
    """Its CONNACK says nothing, whatever the library hands on."""
    assert terms_of(SimpleNamespace(), 20, Version.V311) == Terms(20, identifiers=False)
