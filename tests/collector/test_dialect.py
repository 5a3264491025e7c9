"""Which version of MQTT is spoken follows from what the broker answers."""

from collector.dialect import Dialect, Version


def test_dialect_refused_by_its_level_is_the_older_one_from_then_on() -> None:
    """A broker of 3.1.1 alone says so, and is believed."""
    dialect = Dialect(settled=False)
    assert dialect.version is Version.V5
    dialect.asked()
    dialect.not_understood()
    dialect.ended()
    assert str(dialect.version) == "3.1.1"
    dialect.asked()
    dialect.answered(taken_in=True)
    dialect.ended()
    assert dialect.version is Version.V311


def test_dialect_that_gets_no_answer_takes_turns_until_one_is_settled() -> None:
    """A connection that ends without a word may have any reason; once it worked it stays."""
    dialect, spoken = Dialect(settled=False), []
    for _ in range(3):
        dialect.asked()
        spoken.append(dialect.version)
        dialect.ended()
    assert spoken == [Version.V5, Version.V311, Version.V5]
    dialect.asked()
    dialect.answered(taken_in=True)
    settled = dialect.version
    dialect.asked()
    dialect.ended()
    assert dialect.version is settled


def test_dialect_of_a_broker_that_is_not_there_or_refuses_the_login_stays() -> None:
    """Neither says anything about the version."""
    dialect = Dialect(settled=False)
    dialect.ended()
    dialect.asked()
    dialect.answered(taken_in=False)
    dialect.ended()
    assert dialect.version is Version.V5


def test_dialect_with_our_own_broker_is_settled() -> None:
    """A broker that stops at that moment does not make the session lose its properties."""
    dialect = Dialect(settled=True)
    dialect.asked()
    dialect.ended()
    assert dialect.version is Version.V5
