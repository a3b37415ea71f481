"""Files of the register between looking at them and taking them: kept for an hour, for whoever sent them, then gone."""

import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from anyio import to_thread
from starlette.datastructures import UploadFile

from market.ground import sheets
from market.ground.errors import Malformed, NotFound

MOST_BYTES = 12 * 1024 * 1024
_KEPT_SECONDS = 3600
_KEY = re.compile(r"^[0-9a-f]{32}$")


async def keep(upload: UploadFile | None, folder: Path, account_id: int) -> str:
    """Keep a file; returns the hash of its content. Malformed("file", …): `no_file`, `too_large`."""
    data = await upload.read(MOST_BYTES + 1) if upload is not None else b""
    if not data:
        raise Malformed("file", "no_file")
    if len(data) > MOST_BYTES or sheets.unpacked_bytes(data) > sheets.MOST_UNPACKED_BYTES:
        raise Malformed("file", "too_large", str(len(data)))
    return await to_thread.run_sync(_keep, data, folder, account_id)


def find(key: str, folder: Path, account_id: int) -> Path:
    """The file this person sent not longer than an hour ago. NotFound for any other."""
    forget_old(folder)
    path = folder / f"{account_id}-{key}"
    if not _KEY.match(key) or not path.is_file():
        raise NotFound("import", key[:40])
    return path


def forget_old(folder: Path) -> None:
    """Take away what was kept for longer than an hour: it names people."""
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                path.unlink()


def _keep(data: bytes, folder: Path, account_id: int) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget_old(folder)
    key = hashlib.blake2b(data, digest_size=16).hexdigest()
    partial = folder / f".{uuid4().hex}"
    partial.touch(mode=0o600)
    partial.write_bytes(data)
    partial.replace(folder / f"{account_id}-{key}")
    return key
