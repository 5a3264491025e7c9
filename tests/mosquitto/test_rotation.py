"""A rotation of the certificate authority: three steps, each of which may be cut short."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509

from mosquitto import rotation
from mosquitto.certificates import ensure_authority
from mosquitto.pem import CertificateError, load_certificates
from mosquitto.provision import initialise
from mosquitto.renewal import broker_files, renew
from mosquitto.rotation import Stage, drop_former, stage, switch, trust_next
from mosquitto.trust import authority_pair, changing
from telemetry.clock import now_us
from telemetry.settings import Settings

Step = Callable[[Settings], object]
STEPS: tuple[Step, ...] = (
    lambda settings: trust_next(settings, now_us()),
    lambda settings: switch(settings, now_us()),
    lambda settings: drop_former(settings, now_us()),
)


class CutShort(Exception):
    """The process ended here."""


@pytest.fixture
def first(settings: Settings) -> x509.Certificate:
    """The authority from before the rotation."""
    initialise(settings)
    return load_certificates(settings.ca_file)[0]


def signer(settings: Settings) -> x509.Certificate:
    """Who signs now, which must work after every step."""
    renew(settings)
    authority = ensure_authority(authority_pair(settings), now_us())
    broker = load_certificates(broker_files(settings).certificate)[0]
    broker.verify_directly_issued_by(authority.certificate)
    return authority.certificate


def test_rotation_lets_clients_learn_before_the_broker_changes(
    settings: Settings, first: x509.Certificate
) -> None:
    """Both are trusted while either signs; the new one has a name of its own."""
    seen = []
    for step in STEPS:
        step(settings)
        signs = signer(settings)
        seen.append((stage(settings), load_certificates(settings.ca_file), signs))
    second = seen[1][2]
    assert second.subject != first.subject
    assert seen == [
        (Stage.TRUSTED, [first, second], first),
        (Stage.SWITCHED, [second, first], second),
        (Stage.SETTLED, [second], second),
    ]
    assert [path.name for path in settings.secrets_dir.glob("ca*")] == ["ca.key"]


@pytest.mark.parametrize("step", range(3), ids=["trust", "switch", "drop"])
@pytest.mark.parametrize("place", ["publish_file", "sync_folder"])
def test_step_cut_short_is_done_again(
    settings: Settings,
    first: x509.Certificate,
    step: int,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed before any of its files appears, everything works, and the step leads on."""
    for before in STEPS[:step]:
        before(settings)
    renew(settings)

    def die(*_: object, **__: object) -> None:
        raise CutShort

    with monkeypatch.context() as patched:
        patched.setattr(rotation, place, die)
        try:
            STEPS[step](settings)
        except CutShort:
            assert signer(settings) in load_certificates(settings.ca_file)
    for again in STEPS[step:]:
        again(settings)
        assert signer(settings) in load_certificates(settings.ca_file)
    assert load_certificates(settings.ca_file) == [signer(settings)]
    assert signer(settings) != first


@pytest.mark.parametrize("step", [*STEPS, renew], ids=["trust", "switch", "drop", "renew"])
def test_steps_wait_for_each_other_and_for_a_renewal(settings: Settings, step: Step) -> None:
    """The supervisor that renews in the same moment would put the old ca.crt back."""
    initialise(settings)
    trust_next(settings, now_us())
    if step is STEPS[2]:
        switch(settings, now_us())
    with ThreadPoolExecutor(1) as other:
        with changing(settings):
            waiting = other.submit(step, settings)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result(60)
    assert signer(settings) in load_certificates(settings.ca_file)


def test_steps_twice_change_nothing(settings: Settings, first: x509.Certificate) -> None:
    """A step that is done already is no fault and no further rotation."""
    for step in STEPS:
        step(settings)
        renew(settings)
        kept = settings.ca_file.read_bytes()
        step(settings)
        assert settings.ca_file.read_bytes() == kept
    assert load_certificates(settings.ca_file) != [first]


def test_steps_out_of_order_are_sentences(settings: Settings, first: x509.Certificate) -> None:
    """No step can be left out: clients would be shut out."""
    drop_former(settings, now_us())  # nothing is under way
    with pytest.raises(CertificateError, match="ca trust"):
        switch(settings, now_us())
    trust_next(settings, now_us())
    with pytest.raises(CertificateError, match="ca switch"):
        drop_former(settings, now_us())
    switch(settings, now_us())
    with pytest.raises(CertificateError, match="ca drop"):
        trust_next(settings, now_us())
    assert first in load_certificates(settings.ca_file)
