"""The list of clients: which are found, and what is said of each."""

from collections.abc import Sequence

import pytest

from dashboard.clients.listing import MOST_ROWS, chosen, found, rows
from dashboard.view import View
from mosquitto.access import READER, Client, Password
from mosquitto.detail import Detail, Kept
from tests.dashboard.pictures import HOSTILE, texts

DETAILS = {"boiler": Kept(Detail("boiler", "Oil burner", tags=("Cellar",)), 1, "ann")}


def client(name: str, **facts: object) -> Client:
    """A client of that name."""
    return Client(name, False, Password("", "", 1), 1, **facts)  # type: ignore[arg-type]  # by name


CLIENTS = (client("boiler"), client("attic", role=READER), client("tank", enabled=False))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["boiler", "attic", "tank"]),
        ("  T  ", ["attic", "tank"]),
        ("burner CELLAR", ["boiler"]),
        ("burner attic", []),
        ("<b>", []),
    ],
)
def test_client_is_found_by_name_description_and_tags(words: str, names: Sequence[str]) -> None:
    """Every word has to be in one of them, in whatever case."""
    assert [one.name for one in found(CLIENTS, DETAILS, words)] == names


def test_row_says_what_a_client_is_and_may() -> None:
    """The one that is chosen is marked; what people wrote is text."""
    details = {"attic": Kept(Detail("attic", HOSTILE), 1, "ann")}
    table = rows(CLIENTS, details, {}, View(("attic",)))
    said = list(texts(table))
    assert said.count("may speak") == 2
    assert said.count("shut out") == 1
    assert said.count("publisher") == 2
    assert "reader" in said
    assert "<U+202E>" in "".join(said)
    body = table.children[1].children  # type: ignore[attr-defined]  # a table's
    assert [hasattr(row, "aria-current") for row in body] == [False, True, False]


def test_list_ends_after_a_hundred_clients() -> None:
    """More would slow every browser; the search finds them."""
    many = [client(f"c{number}") for number in range(MOST_ROWS + 5)]
    table = rows(many, {}, {}, View())
    assert len(table.children[1].children) == MOST_ROWS  # type: ignore[attr-defined]  # a table's
    assert "No client fits" in "".join(texts(rows([], {}, {}, View())))


def test_client_that_is_chosen_leads_to_its_charts() -> None:
    """Or there is a word on how to choose one."""
    said = list(texts(chosen(client("boiler", bound=False), View())))
    assert said[0] == "boiler"
    assert "publisher, identifier: any" in said
    assert "Charts" in said
    assert "Choose a client below" in "".join(texts(chosen(None, View())))
