"""Rows of the catalogue of hostile inputs that another test holds."""

from typing import NamedTuple


class Elsewhere(NamedTuple):
    """A row: number and name of the item, and file and name of the test."""

    number: int
    what: str
    file: str
    test: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        36,
        "script, looked at",
        "browser/test_names.py",
        "test_hostile_name_is_text_in_url_dropdown_title_hover_and_export",
    ),
    Elsewhere(
        37,
        "formula, exported",
        "telemetry/test_text.py",
        "test_guard_of_what_a_spreadsheet_would_run_puts_a_quote_before_it",
    ),
    Elsewhere(
        55,
        "no UTF-8, from a broker that hands it on",
        "collector/test_wire.py",
        "test_wire_topic_that_is_not_utf8_has_lone_surrogates",
    ),
    Elsewhere(
        67,
        "topic of no template",
        "collector/test_topics.py",
        "test_match_topic_that_names_nobody_is_rejected",
    ),
    Elsewhere(
        69,
        "a million names",
        "collector/test_limits.py",
        "test_cardinality_is_bounded_for_each_client_and_for_all",
    ),
    Elsewhere(
        71,
        "retained, at the start",
        "integration/test_collector.py",
        "test_retained_message_is_no_new_reading_after_a_restart",
    ),
    Elsewhere(
        72,
        "DUP, known",
        "collector/test_redelivery.py",
        "test_ring_repeated_delivery_is_not_admitted",
    ),
    Elsewhere(
        73,
        "DUP, unknown",
        "collector/test_redelivery.py",
        "test_ring_unknown_delivery_with_dup_is_admitted",
    ),
    Elsewhere(
        74,
        "the same after a crash of the broker, without DUP",
        "integration/test_collector.py",
        "test_broker_killed_after_its_save_doubles_nothing_unflagged",
    ),
    Elsewhere(
        75,
        "sent again by its publisher",
        "collector/test_load.py",
        "test_load_same_identity_and_payload_is_stored_once",
    ),
    Elsewhere(
        80,
        "10 000 messages a second of one client",
        "collector/test_load.py",
        "test_load_limits_a_client_and_no_other",
    ),
    Elsewhere(
        81,
        "100 000 messages at a reconnect",
        "integration/test_session.py",
        "test_session_without_room_stops_reading_and_stays_connected",
    ),
    Elsewhere(
        82,
        "more than the receive maximum",
        "collector/test_stream.py",
        "test_stream_takes_what_there_is_room_for_and_the_rest_later",
    ),
    Elsewhere(
        83,
        "session lost by the broker",
        "collector/test_writer.py",
        "test_writer_lost_session_forgets_deliveries_in_the_same_commit",
    ),
    Elsewhere(
        84,
        "half-open connection",
        "integration/test_network_faults.py",
        "test_link_of_the_collector_gone_silent_is_noticed_by_keep_alive",
    ),
    Elsewhere(
        85,
        "callback that raises",
        "integration/test_session.py",
        "test_session_callback_that_raises_is_logged_and_collecting_goes_on",
    ),
    Elsewhere(
        86, "second collector", "integration/test_collector.py", "test_second_collector_is_refused"
    ),
    Elsewhere(
        87,
        "password replaced",
        "integration/test_session.py",
        "test_session_password_that_was_replaced_is_taken_up",
    ),
    Elsewhere(
        88,
        "subscription refused",
        "integration/test_session.py",
        "test_session_refused_filter_is_told",
    ),
    Elsewhere(
        89,
        "another broker with other limits",
        "collector/test_terms.py",
        "test_terms_of_a_poor_broker_are_told",
    ),
    Elsewhere(
        90,
        "last will",
        "collector/formats/test_presence.py",
        "test_presence_of_a_client_that_went_is_a_note",
    ),
)
