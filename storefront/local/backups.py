"""Backup and restore through PostgreSQL's own tools, found beside the server in use."""

import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from market.ground.db import plain_url
from market.ground.settings import Settings
from storefront.local import LauncherError, binaries


def backup(settings: Settings, file: Path) -> None:
    """Write the database into a file. LauncherError says in one sentence why it could not."""
    _run("pg_dump", settings, "--format=custom", "--no-owner", "--file", str(file.resolve()))


def restore(settings: Settings, file: Path) -> None:
    """Put a backup into an empty database, all of it or nothing. LauncherError otherwise."""
    _run("pg_restore", settings, "--no-owner", "--exit-on-error", "--single-transaction", str(file.resolve()))


def _run(tool: str, settings: Settings, *arguments: str) -> None:
    url = plain_url(make_url(settings.database_url or "").render_as_string(hide_password=False))
    done = subprocess.run([str(_find(tool)), *arguments, "--dbname", url], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise LauncherError(f"{tool} could not finish: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


def _find(tool: str) -> Path:
    found = shutil.which(tool)
    beside = Path(found) if found else binaries.find(None).folder / tool
    if not beside.is_file():
        raise LauncherError(f"{tool} was not found. Install PostgreSQL's client programs.")
    return beside
