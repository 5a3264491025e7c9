"""Which clients have a login, for those who only ask."""

from mosquitto.access import Access, NewClient, Password
from mosquitto.access_known import clients_here
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings


def test_clients_are_known_with_whether_they_are_let_in(settings: Settings) -> None:
    """By access.db; to ask makes no file."""
    prepare_folders(settings)
    assert clients_here(settings) is None
    assert not settings.access_path.exists()
    access = Access(settings.access_path)
    access.add_clients(*(NewClient(one, Password("digest", "salt", 101)) for one in ("a", "b")))
    access.set_enabled("b", enabled=False)
    assert clients_here(settings) == {"a": True, "b": False}


def test_nobody_knows_logins_elsewhere_or_of_a_damaged_file(settings: Settings) -> None:
    """What else is known of a client can be told all the same."""
    prepare_folders(settings)
    Access(settings.access_path).prepare()
    elsewhere = settings.model_copy(update={"broker_url": "mqtts://broker.example"})
    assert clients_here(elsewhere) is None
    settings.access_path.write_bytes(b"no database" * 999)
    assert clients_here(settings) is None
