"""httpx that holds the site to a pace, as `guards.slow_answers` does with http.client.

Its own time-outs begin anew with every byte, be it of a head, of a proxy's answer, of frames of HTTP/2 that carry nothing, or of compressed
bytes that give none.

In: a client, and the pace of the answer that it waits for. Out: the same client. Never: bounds what TLS or a name server bounds already.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from guards.slow_answers import Pace


def held(client: httpx.Client, pace: Callable[[], Pace]) -> httpx.Client:
    """The client, whose connections, those by a proxy too, are read at the pace of the moment."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool: Any = transport._pool
            pool._network_backend = Steady(pool._network_backend, pace)
    return client


class Steady(httpcore.NetworkBackend):
    """Connections that are read at a pace."""

    def __init__(self, inner: httpcore.NetworkBackend, pace: Callable[[], Pace], now: Callable[[], float] = time.monotonic) -> None:
        self._inner, self._pace, self._now = inner, pace, now

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options), self._pace, self._now)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, pace: Callable[[], Pace], now: Callable[[], float]) -> None:
        self._inner, self._pace, self._now = inner, pace, now

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        begun = self._now()
        found = self._inner.read(max_bytes, timeout)
        try:
            self._pace().took(len(found), self._now() - begun)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(f"too slow: {error}") from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from None
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._pace, self._now)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
