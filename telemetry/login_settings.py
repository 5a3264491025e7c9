"""The settings that say who else may vouch for people at the dashboard."""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel

_HEADER = re.compile(r"[A-Za-z0-9-]*", re.ASCII)
_MAPPED_BITS = 96  # of ::ffff:0:0/96, in which IPv6 writes addresses of IPv4


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no address or network; write for example 127.0.0.1 or 10.0.0.0/8"
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return str(ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_BITS)))
    return str(network)


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{name!r} is no header; write for example X-Forwarded-User")
    return name


def _issuer(url: str) -> str:
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError(f"{url!r} is no issuer; write its address, which begins with https://")
    return url.rstrip("/")


class LoginSettings(BaseModel):
    """A part of `telemetry.settings.Settings`.

    Attributes:
        trusted_proxies: Addresses and networks of proxies that are believed what they say of
            visitors.
        proxy_user_header: The header in which they say whom they let in; empty if they do not.
        new_users: Whether somebody who is let in elsewhere and unknown here becomes a viewer.
        oidc_issuer: The address of an OpenID Connect provider; empty for none.
        oidc_client_id: What Culex is called there.
        oidc_user_claim: The claim that holds the user's name.
        oidc_title: What the login page calls the provider.
    """

    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    proxy_user_header: Annotated[str, AfterValidator(_header)] = ""
    new_users: Literal["refuse", "viewer"] = "refuse"
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = ""
    oidc_client_id: str = "culex"
    oidc_user_claim: str = "preferred_username"
    oidc_title: str = "single sign-on"
