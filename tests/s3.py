"""A small store that speaks S3 over HTTP: it keeps objects in memory and lets nobody in whose signature is not right.

Written after the published description of Signature Version 4, so that the client's signing is judged by other code
than its own. It knows what the market needs: putting and getting objects by path-style address.
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

from market.ground.settings import Settings

KEY_ID, SECRET, REGION, BUCKET = "AKIDEXAMPLE", "only-for-this-test", "cn-north-1", "pictures"


@dataclass
class Store:
    """The running store."""

    url: str
    objects: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def settings(self, settings: Settings, *, secret: str = SECRET, public: str | None = None) -> Settings:
        """The same market, with its pictures here."""
        changed = {
            "photos_url": f"s3://{BUCKET}/market?endpoint={quote(self.url, safe='')}&region={REGION}",
            "photos_key_id": KEY_ID,
            "photos_secret": SecretStr(secret),
            "photos_public_url": public,
        }
        return settings.model_copy(update=changed)


@contextmanager
def running_store() -> Iterator[Store]:
    """A store on a free port of this machine, gone with the block."""
    store = Store("")

    class Handler(_Handler):
        kept = store

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield store
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    kept: Store
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self._is_signed(body):
            self.kept.objects[self.path] = body
            self.kept.types[self.path] = self.headers.get("content-type", "")
            self._answer(200, b"", {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})

    def do_GET(self) -> None:
        if not self._is_signed(b""):
            return
        found = self.kept.objects.get(self.path)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            etag = hashlib.md5(found, usedforsecurity=False).hexdigest()
            modified = {"ETag": f'"{etag}"', "Last-Modified": "Sun, 02 Dec 2018 02:00:00 GMT"}
            self._answer(200, found, modified)

    def _is_signed(self, body: bytes) -> bool:
        if hmac.compare_digest(self._expected(body), self.headers.get("authorization", "")):
            return True
        self.kept.refused.append(self.path)
        self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return False

    def _expected(self, body: bytes) -> str:
        """The authorization header this request must bear."""
        at, sha = self.headers.get("x-amz-date", ""), self.headers.get("x-amz-content-sha256", "")
        signed = self.headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].strip()
        if sha not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()) or "host" not in signed.split(";"):
            return "nothing can be right"
        address = urlsplit(self.path)
        asked = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(parse_qsl(address.query)))
        headers = "".join(f"{name}:{self.headers.get(name, '').strip()}\n" for name in signed.split(";"))
        request = f"{self.command}\n{address.path}\n{asked}\n{headers}\n{signed}\n{sha}"
        scope = f"{at[:8]}/{REGION}/s3/aws4_request"
        said = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = f"AWS4{SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, said.encode(), "sha256").hexdigest()
        return f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={signed}, Signature={signature}"

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
