"""Addresses that the service may listen on, and what is said of those that others can reach."""

from __future__ import annotations

import ipaddress
import socket

from tenure.core.errors import ConfigError, Problem


def ip_address(host: str) -> str:
    """Return the IP address of a host's name; BentoML listens on nothing else.

    >>> ip_address("localhost"), ip_address("::1")
    ('127.0.0.1', '::1')

    Raises:
        ConfigError: If nobody knows the name.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        fix = "give an IP address, e.g. 127.0.0.1"
        problem = Problem("service.host", "is not the name of a host", host, fix)
        raise ConfigError(problem) from error


def exposure(host: str) -> str:
    """Return a warning where others than this machine reach an address, empty where none do.

    >>> exposure("localhost")
    ''
    """
    if ipaddress.ip_address(ip_address(host)).is_loopback:
        return ""
    return (
        f"WARNING: the service listens on {host}, and it has no keys yet: whoever reaches this "
        "machine over the network can read every score.  Put a proxy that checks who asks in "
        "front of it, or set `service: {host: 127.0.0.1}`."
    )
