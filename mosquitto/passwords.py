"""Passwords of clients: random ones, and what is kept of them."""

import base64
import hashlib
import hmac
import secrets

from mosquitto.access import Password

ITERATIONS = 101  # what the plugin itself uses: our passwords are random, not guessable
SALT_BYTES = 12  # the most that the plugin of 2.0 reads
_DIGEST_BYTES = 64


def new_password() -> str:
    """A random password of 160 bits."""
    return secrets.token_hex(20)  # no character that a shell or a URL would read


def hashed(password: str) -> Password:
    """What is kept of a password, with a new salt."""
    return hash_password(password, secrets.token_bytes(SALT_BYTES))


def hash_password(password: str, salt: bytes) -> Password:
    """What the plugin keeps of a password."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, _DIGEST_BYTES)
    return Password(_base64(digest), _base64(salt), ITERATIONS)


def verify_password(password: str, kept: Password) -> bool:
    """Whether that is the password."""
    return hmac.compare_digest(
        hash_password(password, base64.b64decode(kept.salt)).digest, kept.digest
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
