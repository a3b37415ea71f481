"""Built files and photos: names carry a hash of the content, so a browser never asks twice."""

import re
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from market.ground.errors import NotFound, Unavailable
from storefront.render import asset
from storefront.storage import PHOTOS, Storage

_PHOTO = re.compile(r"^[0-9a-f]{32}-[a-z]+\.webp$")
_FOR_EVER = "public, max-age=31536000, immutable"


class HashedFiles(StaticFiles):
    """Static files that never change under their name, served compressed where a compressed copy lies beside them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, its compressed copy if the browser takes one."""
        accepted = next((value.decode() for key, value in scope["headers"] if key == b"accept-encoding"), "")
        for coding, ending in (("br", ".br"), ("gzip", ".gz")):
            if coding in accepted and self.lookup_path(path + ending)[1] is not None:
                response = await super().get_response(path + ending, scope)
                plain = await super().get_response(path, scope)
                response.headers["content-type"] = plain.headers["content-type"]
                response.headers["content-encoding"] = coding
                break
        else:
            response = await super().get_response(path, scope)
        response.headers["cache-control"] = _FOR_EVER
        response.headers["vary"] = "Accept-Encoding"
        return response


class StoredFiles:
    """The same for photos in a store: sent on to where browsers may fetch them, else carried through."""

    def __init__(self, storage: Storage) -> None:
        """Serve the photos of this store."""
        self._storage = storage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a photo."""
        name = scope["path"].rpartition("/")[2]
        response = await self._photo(name) if _PHOTO.match(name) else Response(status_code=404)
        await response(scope, receive, send)

    async def _photo(self, name: str) -> Response:
        headers = {"cache-control": _FOR_EVER}
        if self._storage.public_url is not None:
            base = self._storage.public_url.rstrip("/")
            return RedirectResponse(f"{base}/{PHOTOS}/{name}", status_code=308, headers=headers)
        try:
            data = await self._storage.read(f"{PHOTOS}/{name}")
        except NotFound:
            return Response(status_code=404)
        except Unavailable:
            return Response(status_code=503)
        return Response(data, media_type="image/webp", headers=headers)


def mount(app: FastAPI, storage: Storage) -> None:
    """Serve the built files under /static and the photos under /photos. Photos of papers are under neither."""
    built = Path(__file__).parent / "static" / "dist"
    app.add_route("/worker.js", _worker(built))
    app.mount("/static", HashedFiles(directory=built, check_dir=False), name="static")
    app.mount("/photos", _photos(storage), name="photos")


def _worker(built: Path) -> Callable[[Request], Response]:
    """The village door's worker keeps one address for ever, and is asked for afresh whenever a page is opened."""

    def show_worker(request: Request) -> Response:
        file = built / Path(asset("worker.js")).name
        headers = {"cache-control": "no-cache", "etag": f'W/"{file.stem}"'}
        if not file.is_file():
            return Response(status_code=404)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(file.read_bytes(), media_type="text/javascript", headers=headers)

    return show_worker


def _photos(storage: Storage) -> ASGIApp:
    return StoredFiles(storage) if storage.folder is None else HashedFiles(directory=storage.folder / PHOTOS)
