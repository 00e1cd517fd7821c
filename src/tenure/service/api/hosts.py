"""Addresses that the service may listen on; those that others can reach take a key."""

from __future__ import annotations

import ipaddress
import socket

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem
from tenure.score.store.database import connect, store_url
from tenure.score.store.keys import KeyStore


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


def check_exposure(config: Config) -> None:
    """Make sure that nobody unknown gets in where others than this machine reach an address.

    Raises:
        ConfigError: If no key is valid there, and no proxy says who is there.
    """
    host = config.service.host
    if ipaddress.ip_address(ip_address(host)).is_loopback or config.service.proxy is not None:
        return
    engine = connect(store_url(config))
    try:
        if any(key.active for key in KeyStore(engine).list()):
            return
    finally:
        engine.dispose()
    rule = "is reached by others than this machine, and there is no key"
    fix = "make one: tenure keys create CONFIG --name …; or set service.host to 127.0.0.1"
    raise ConfigError(Problem("service.host", rule, host, fix))
