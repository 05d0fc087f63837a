"""HTTP clients that follow the environment's settings for proxies and certificates.

Decides which calls may use a proxy, and reports a setting that cannot be used with the name of its variable.
A proxy can read plain http, and calls carry credentials. So only https calls use a proxy, which then sees no more than
the host name; calls to this machine never use one.
"""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.request import getproxies

import httpx

from batchctl.model.addresses import is_loopback_host
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.exhaustion import exhausted
from batchctl.providers.http.connection import Line

_GOOGLE = "googleapis.com"
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY")
_SOCKS = frozenset({"socks5", "socks5h"})
_HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+")
_MOST_PORTS = 65535
_NO_PROXY = ("NO_PROXY cannot be read", "write it as host names, domains and addresses, separated by commas")
"""The error that remains when every proxy is valid."""
_FAULTS: tuple[type[Exception], ...] = (ValueError, TypeError, OSError, ImportError, httpx.InvalidURL)
"""Errors that httpx and ssl raise for unusable settings."""


def uses_proxies(url: httpx.URL) -> bool:
    """Whether calls to this address may use the proxy of the environment."""
    return url.scheme == "https" and not is_loopback_host(url.host)


def is_same_service(base: httpx.URL, other: httpx.URL) -> bool:
    """Whether two addresses have one origin, or both belong to Google and use TLS."""
    if (other.scheme, other.host, other.port) == (base.scheme, base.host, base.port):
        return True
    return all(one.scheme == "https" and f".{one.host}".endswith(f".{_GOOGLE}") for one in (base, other))


def open_client(url: httpx.URL, tls: ssl.SSLContext, **options: Any) -> httpx.Client:  # noqa: ANN401  httpx's own
    """A client for calls to this address. Raises BatchctlError (`InvalidEnvironment`)."""
    proxied = uses_proxies(url)
    if proxied:
        _check_proxies()
    try:
        return httpx.Client(verify=tls, trust_env=proxied, **options)
    except _FAULTS as error:
        raise _unusable(error, _NO_PROXY) from error


def open_line(url: httpx.URL, tls: ssl.SSLContext, limits: httpx.Limits) -> Line:
    """Open a line for calls to this address, a client only if proxies are set. Raises BatchctlError."""
    if uses_proxies(url) and getproxies():
        return open_client(url, tls, limits=limits)
    # Loaded for the first call: httpcore is what httpx itself loads then.
    from batchctl.providers.http.direct_line import DirectLine

    return DirectLine(tls, limits.keepalive_expiry)


def tls_for(scheme: str) -> ssl.SSLContext:
    """Trusted root certificates for https; none for http, because loading them takes longer than a call.

    Raises BatchctlError (`InvalidEnvironment`).
    """
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return httpx.create_ssl_context()
    except _FAULTS as error:
        names = [name for name in _CERTIFICATES if os.environ.get(name)]
        message = f"the trusted certificates cannot be read: {', '.join(names) or 'the installation'}"
        raise _unusable(error, (message, "set it to a PEM file of certificates, or unset it")) from error


def check_environment(urls: Iterable[str]) -> None:
    """Raise BatchctlError (`InvalidEnvironment`) when the environment makes calls to these addresses impossible."""
    for url in urls:
        target = httpx.URL(url)
        # Without these variables the roots are httpx's own, which are valid.
        needs_roots = target.scheme == "https" and any(os.environ.get(name) for name in _CERTIFICATES)
        open_client(target, tls_for("https" if needs_roots else "http")).close()


def _values(env: Mapping[str, str]) -> dict[str, str]:
    """The configured proxies, by variable name as it is spelled."""
    names = [spelt for name in _PROXIES for spelt in (name, name.lower())]
    return {name: env[name] for name in names if env.get(name)}


def _check_proxies() -> None:
    """Raise BatchctlError for the first unusable proxy. The message omits its value, which may contain a password."""
    for name, value in _values(os.environ).items():
        scheme = value.partition("://")[0].lower() if "://" in value else "http"
        if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
            message = f"{name} names a SOCKS proxy, which needs the package socksio"
            hint = "pip install 'httpx[socks]', or use an http:// proxy, or unset it"
            raise BatchctlError(message, code=ErrorCode.INVALID_ENVIRONMENT, hint=hint)
        if not _is_proxy(value if "://" in value else f"http://{value}"):
            message = f"{name} is not the URL of a proxy"
            hint = "write it as http://HOST:PORT, or unset it"
            raise BatchctlError(message, code=ErrorCode.INVALID_ENVIRONMENT, hint=hint)


def _is_proxy(value: str) -> bool:
    try:
        url = httpx.URL(value)
        httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        return False
    return _HOST.fullmatch(url.raw_host) is not None and (url.port is None or 0 < url.port <= _MOST_PORTS)


def _unusable(error: Exception, words: tuple[str, str]) -> BatchctlError:
    problem = exhausted(error)
    if problem is not None:
        return problem
    message, hint = words
    return BatchctlError(message, code=ErrorCode.INVALID_ENVIRONMENT, hint=hint)
