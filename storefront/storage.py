"""Where pictures are kept: in a folder, or in an S3-compatible store. A name carries a hash of the content, for ever.

One function writes and one reads, whatever is behind them. `photos/` may be shown to anyone, `papers/` to nobody who
was not asked about first.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from market.ground.errors import NotFound, Unavailable
from market.ground.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config  # known to type checkers only

PHOTOS, PAPERS = "photos", "papers"
_PATIENCE = timedelta(seconds=10)
"""Somebody waits with a telephone in hand."""


@dataclass(frozen=True)
class Storage:
    """Pictures by name, such as `photos/6c1f…-card.webp`."""

    store: ObjectStore
    folder: Path | None = None
    """Where its files lie on this machine, if they do."""
    public_url: str | None = None
    """Where browsers may fetch photos themselves, if they may."""

    @property
    def public_host(self) -> str:
        """Scheme and host of that address."""
        address = urlsplit(self.public_url or "")
        return f"{address.scheme}://{address.netloc}" if address.netloc else ""

    async def keep(self, name: str, data: bytes) -> None:
        """Keep the file, all of it or none. The same name twice is the same content twice. Unavailable if it cannot."""
        try:
            await obstore.put_async(self.store, name, data)
        except (BaseError, OSError) as error:
            raise Unavailable("photos") from error

    async def read(self, name: str) -> bytes:
        """The file. NotFound for a name nobody kept."""
        try:
            found = await obstore.get_async(self.store, name)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise NotFound("photo", name[:60]) from None
        except (BaseError, OSError) as error:
            raise Unavailable("photos") from error


def open_storage(settings: Settings) -> Storage:
    """The folder of this machine, or the store of YIGOU_PHOTOS_URL. ValueError for an address that names none."""
    if settings.photos_url is None:
        return _in_folder(settings.var)
    address = urlsplit(settings.photos_url)
    if address.scheme != "s3" or not address.hostname:
        msg = "YIGOU_PHOTOS_URL must look like s3://bucket/prefix?endpoint=https://…&region=…"
        raise ValueError(msg)
    asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
    store = S3Store(
        address.hostname,
        prefix=address.path.strip("/") or None,
        config=_config(settings, asked),
        client_options={
            "allow_http": asked.get("endpoint", "").startswith("http://"),
            "default_content_type": "image/webp",
            "timeout": _PATIENCE,
        },
        retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
    )
    return Storage(store, public_url=settings.photos_public_url)


def _in_folder(var: Path) -> Storage:
    (var / PHOTOS).mkdir(parents=True, exist_ok=True)
    (var / PAPERS).mkdir(mode=0o700, exist_ok=True)
    return Storage(LocalStore(prefix=var), folder=var)


def _config(settings: Settings, asked: dict[str, str]) -> "S3Config":
    """Endpoint and region from the address, keys from the settings; without any, those the machine itself was given."""
    config: S3Config = {"region": asked.get("region", "us-east-1")}
    if "endpoint" in asked:
        config["endpoint"] = asked["endpoint"]
    if settings.photos_key_id is not None and settings.photos_secret is not None:
        config["access_key_id"] = settings.photos_key_id
        config["secret_access_key"] = settings.photos_secret.get_secret_value()
    return config
