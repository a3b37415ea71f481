"""The secrets of this machine, made at first use and kept in the data folder, so that a restart signs nobody out."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from storefront.local import LauncherError, cannot_be_used


@dataclass(frozen=True)
class Keys:
    """What signs sessions, and what signs the test cashier's notices."""

    secret_key: str
    webhook_secret: str


def kept(var: Path) -> Keys:
    """The keys in `var`/secrets.json, which only its owner may read. Raises LauncherError."""
    file = var / "secrets.json"
    try:
        var.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _make(file)
        return Keys(**json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise cannot_be_used(var, error.strerror) from error
    except (ValueError, TypeError) as error:
        raise LauncherError(f"{file} is damaged: remove it and start again; everybody signs in anew.") from error


def _make(file: Path) -> None:
    """Write the keys aside and link them in place: of two that start at once, both end up reading the same file."""
    keys = Keys(secret_key=secrets.token_urlsafe(48), webhook_secret=f"whsec_{secrets.token_hex(24)}")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(json.dumps(asdict(keys)), encoding="utf-8")
    with suppress(FileExistsError):
        file.hardlink_to(draft)
    draft.unlink()
