"""What lets Yigou run on a machine with nothing installed: its own PostgreSQL, test cashier and demo world."""

from pathlib import Path


class LauncherError(Exception):
    """What keeps the market from running on this machine. The message is one sentence that names the remedy."""


def cannot_be_used(folder: Path, reason: str | None) -> LauncherError:
    """The data folder refuses us."""
    return LauncherError(
        f"{folder} cannot be used ({reason}): make it yours, or set YIGOU_VAR to a folder that is, "
        "as in YIGOU_VAR=/tmp/yigou bin/run."
    )
