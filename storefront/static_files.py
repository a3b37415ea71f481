"""Built files and photos: names carry a hash of the content, so a browser never asks twice."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


def mount(app: FastAPI, photos: Path) -> None:
    """Serve the built files under /static and the photos under /photos."""
    built = Path(__file__).parent / "static" / "dist"
    app.mount("/static", HashedFiles(directory=built, check_dir=False), name="static")
    photos.mkdir(parents=True, exist_ok=True)
    app.mount("/photos", HashedFiles(directory=photos), name="photos")
