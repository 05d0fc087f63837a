"""Token services on this machine, and the files that lead google-auth's library to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROBOT = "robot@my-project.iam.gserviceaccount.com"
POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci"


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # many threads call at once


class TokenService:
    """Answers whatever comes by calling `play(request)`; keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.play: Callable[[Request], Reply] = lambda _: granted(f"token-{len(self.requests)}-" + "x" * 20)
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): text for name, text in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(size))
                service.requests.append(request)
                status, headers, body = service.play(request)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815  the server looks for this name

            def log_message(self, *_: object) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"

    @property
    def paths(self) -> list[str]:
        return [request.path.partition("?")[0] for request in self.requests]


class Request:
    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body


Reply = tuple[int, dict[str, str], bytes]


def answered(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(value).encode()


def granted(token: str, seconds: int = 3600) -> Reply:
    return answered({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}, Metadata_Flavor="Google")


def metadata(request: Request) -> Reply:
    """A metadata server's answer."""
    if request.path.partition("?")[0].endswith("/token"):
        return granted("m" * 30)
    return answered({"email": ROBOT, "scopes": []}, Metadata_Flavor="Google")


@contextmanager
def token_service() -> Iterator[TokenService]:
    service = TokenService()
    thread = threading.Thread(target=service.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.server.shutdown()
        thread.join()
        service.server.server_close()


@cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # weak, and quick to load
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def service_account(url: str) -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": private_key(),
        "client_email": ROBOT,
        "token_uri": f"{url}/token",
    }


def authorized_user(url: str) -> dict[str, Any]:
    return {
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "client-secret-canary",
        "refresh_token": "1//refresh-canary",
        "quota_project_id": "quota-project",
        "token_uri": f"{url}/token",
    }


def external_account(url: str, folder: Path, **members: Any) -> dict[str, Any]:
    subject = folder / "subject.txt"
    subject.write_text("subject-canary")
    return {
        "type": "external_account",
        "audience": POOL,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{url}/sts",
        "credential_source": {"file": str(subject)},
        **members,
    }


def impersonation_url(url: str) -> str:
    return f"{url}/v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken"
