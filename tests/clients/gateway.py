"""A REST API on a loopback port: HTTP becomes proxy events of the real handler, and back.

It plays what stands before the function in AWS, in the three forms in which a body may reach it.
"""

import gzip
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

Handler = Callable[[dict[str, Any], object], dict[str, Any]]
Files = Mapping[str, tuple[str, bytes]]


class Form(Enum):
    """How a gzipped or plain body is handed over."""

    INFLATED_TEXT = "inflated, as text"
    INFLATED_BINARY = "inflated, in base64"
    AS_SENT = "as it was sent, in base64"


class Gateway:
    """Serves a handler until it is closed; `url` ends without a slash."""

    def __init__(self, handler: Handler, form: Form = Form.INFLATED_TEXT) -> None:
        self.requests: list[dict[str, Any]] = []
        self.form = form
        self._handler = handler
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._speaker())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> dict[str, Any]:
        """The handler's answer to one request."""
        event = self._event(method, target, headers, body)
        answer = self._handler(event, None)
        self.requests.append({"method": method, "path": event["path"], "headers": dict(headers)})
        self.requests[-1]["status"] = answer["statusCode"]
        return answer

    def _event(self, method: str, target: str, headers: Any, body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        if self.form is not Form.AS_SENT and headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        is_text = self.form is Form.INFLATED_TEXT
        content = body.decode("utf-8", "replace") if is_text else b64encode(body).decode()
        return {
            "httpMethod": method,
            "path": unquote(parts.path),
            "headers": dict(headers),
            "queryStringParameters": dict(parse_qsl(parts.query)) or None,
            "body": content if body else None,
            "isBase64Encoded": bool(body) and not is_text,
            "requestContext": {
                "requestId": str(uuid4()),
                "identity": {"sourceIp": "127.0.0.1"},
                "domainName": "127.0.0.1",
                "stage": "live",
            },
        }

    def _speaker(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Speaker(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                answer = gateway.answer(self.command, self.path, self.headers, self._body())
                told = answer["body"]
                content = b64decode(told) if answer["isBase64Encoded"] else told.encode()
                self.send_response(answer["statusCode"])
                for name, value in answer["headers"].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_OPTIONS = _serve  # noqa: N815  (the standard library's names)

            def _body(self) -> bytes:
                if self.headers.get("transfer-encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                chunks = b""
                while size := int(self.rfile.readline(), 16):
                    chunks += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return chunks

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        return Speaker


class Pages:
    """A web site of its own origin that serves a few files from memory."""

    def __init__(self, files: Files) -> None:
        class Speaker(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = files.get(urlsplit(self.path).path, ("text/plain", b""))
                self.send_response(200 if content else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Speaker)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
