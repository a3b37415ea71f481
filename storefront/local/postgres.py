"""A PostgreSQL of the checkout's own: made, started, found again and stopped by the folder of its data.

The server is nobody's child. It outlives the process that started it, even one that is killed, and the next one finds
it by its folder. Whether its socket answers is the only truth; process numbers on disk are hints that go stale. It
listens on a Unix socket in a folder only its user may enter, so it needs neither port nor password.
"""

import fcntl
import hashlib
import locale
import os
import re
import shutil
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil

from storefront.local import LauncherError, cannot_be_used
from storefront.local.binaries import Programs, Runner, choose_runner, find

_PORT = 5432  # a name of the socket file only
_ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # the shortest question of the protocol; the answer is no
_BUILTIN_LOCALES_SINCE = 17
_NEEDED_BYTES = 200 * 1024 * 1024
_PATIENCE_SECONDS = 30
_RECOVERY_SECONDS = 300

_SETTINGS = f"""\
# Written by storefront/local/postgres.py at each start; own settings belong after the include in postgresql.conf.
listen_addresses = ''
port = {_PORT}
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_min_duration_statement = 250
log_checkpoints = off
"""
_FAST_SETTINGS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


@contextmanager
def serving(data: Path, *, fast: bool = False) -> Iterator[str]:
    """Keep the server of `data` up for the length of the block and yield its URL; the last block to end stops it."""
    data = _settled(data)
    with _locked(data, "users", fcntl.LOCK_SH) as users:
        try:
            yield ensure(data, fast=fast)
        finally:
            if _is_last(users):
                stop(data)


def ensure(data: Path, *, fast: bool = False) -> str:
    """Have a server run on the folder `data`, made at first use, and return the URL of its database `postgres`.

    `fast` gives up durability for speed and is for tests. Raises LauncherError.
    """
    data = _settled(data)
    with _locked(data, "lock", fcntl.LOCK_EX):
        sockets = _answering(data) or _start(data, fast=fast)
    return f"postgresql+asyncpg://postgres@/postgres?host={quote(str(sockets))}&port={_PORT}"


def stop(data: Path) -> None:
    """End the server of `data`, if one runs: open transactions are rolled back, what was committed is on disk."""
    data = _settled(data)
    with _locked(data, "lock", fcntl.LOCK_EX):
        sockets = _answering(data)
        if sockets is None:
            return
        os.kill(int(_pid_file(data)[0]), signal.SIGINT)
        _wait(lambda: not any(_processes(data)), _RECOVERY_SECONDS)
        with suppress(OSError):
            sockets.rmdir()


def _settled(data: Path) -> Path:
    return data.expanduser().resolve()


@contextmanager
def _locked(data: Path, name: str, kind: int) -> Iterator[IO[str]]:
    """Hold a lock that the kernel takes back from whoever dies with it."""
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        file = (data.parent / f".{data.name}.{name}").open("a", encoding="utf-8")
    except OSError as error:
        raise cannot_be_used(data.parent, error.strerror) from error
    with file:
        fcntl.flock(file, kind)
        yield file


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answering(data: Path) -> Path | None:
    """The folder of the socket of the server that serves `data` now, if one does."""
    match _pid_file(data):
        case [_, _, _, _, sockets, _, _, state, *_] if state.strip() == "ready" and _accepts(Path(sockets)):
            return Path(sockets)
        case _:
            return None


def _pid_file(data: Path) -> list[str]:
    """Process, data folder, start, port, socket folder, address, memory key and state, one a line."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []
    except PermissionError as error:
        raise cannot_be_used(data, "it belongs to another user") from error


def _accepts(sockets: Path) -> bool:
    """Whether a server takes a connection and says a first word on it; one killed a moment ago only seems to listen."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(sockets / f".s.PGSQL.{_PORT}"))
            connection.sendall(_ASK_FOR_TLS)
            return connection.recv(1) in {b"N", b"S"}
        except OSError:
            return False


def _start(data: Path, *, fast: bool) -> Path:
    version = data / "PG_VERSION"
    programs = find(int(version.read_text(encoding="ascii")) if version.exists() else None)
    runner = _create(programs, data, fast=fast) if not version.exists() else choose_runner(programs, data)
    data.chmod(0o700)
    sockets = _socket_folder(data, runner)
    _configure(data, sockets, fast=fast)
    _clear_the_dead(data, sockets)
    return _answering(data) or _launch(programs, runner, data, sockets)


def _create(programs: Programs, data: Path, *, fast: bool) -> Runner:
    """Make the data folder beside its place and move it there whole, so that a kill half-way leaves nothing behind."""
    if shutil.disk_usage(data.parent).free < _NEEDED_BYTES:
        raise LauncherError(f"The disk is full: the database needs 200 MB in {data.parent}.")
    draft = data.with_name(f".{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    runner = choose_runner(programs, draft)
    made = runner.run(
        *(programs.folder / "initdb", "-D", draft, "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
        *_locale_options(programs.major),
        *(["--no-sync"] if fast else []),
    )
    if made.returncode != 0:
        raise LauncherError(_sentence(f"PostgreSQL could not make its folder {data}", made.stderr))
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include_if_exists = 'yigou.conf'\n")
    if data.exists():
        data.rmdir()
    draft.rename(data)
    return runner


def _locale_options(major: int) -> list[str]:
    """Order by code point, the same on every machine; only the classes of characters come from the C library."""
    provider = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if major >= _BUILTIN_LOCALES_SINCE
        else ["--locale-provider=libc"]
    )
    return [*provider, "--locale=C", f"--lc-ctype={_character_locale()}"]


def _character_locale() -> str:
    """A UTF-8 locale that is installed here; what LANG names often is not, and then initdb would fail."""
    now = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, now)
        return name
    return "C"


def _socket_folder(data: Path, runner: Runner) -> Path:
    """A folder with a short name, because the address of a Unix socket has room for 104 bytes on some systems."""
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    folder = Path("/tmp") / f"yigou-{runner.uid}-{digest}"  # noqa: S108  0700 and checked to be ours below
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), runner.uid}:
        raise LauncherError(f"{folder} was made by somebody else: remove it and start again.")
    os.chown(folder, runner.uid, runner.gid)
    folder.chmod(0o700)
    return folder


def _configure(data: Path, sockets: Path, *, fast: bool) -> None:
    settings = data / "yigou.conf"
    settings.write_text(
        f"{_SETTINGS}unix_socket_directories = '{sockets}'\n{_FAST_SETTINGS if fast else ''}", encoding="utf-8"
    )
    settings.chmod(0o644)


def _clear_the_dead(data: Path, sockets: Path) -> None:
    """Wait for what a killed server left running to end, then remove both of its lock files, which outlive it."""

    def is_settled() -> bool:
        return _answering(data) is not None or not any(_processes(data))

    if not _wait(is_settled, _PATIENCE_SECONDS) and not _accepts(sockets):
        for process in _processes(data):
            process.send_signal(signal.SIGQUIT)  # PostgreSQL's "stop at once"; the next start replays its log
    if not _wait(is_settled, _RECOVERY_SECONDS):
        raise LauncherError(f"PostgreSQL of {data} is still recovering after a crash: try again in a few minutes.")
    if _answering(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)
        (sockets / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _processes(data: Path) -> Iterator[psutil.Process]:
    """The living processes of the server, orphans too: neither a zombie nor a stranger who got an old number."""
    for process in psutil.process_iter():
        try:
            if "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data):
                yield process
        except psutil.Error:
            continue


def _launch(programs: Programs, runner: Runner, data: Path, sockets: Path) -> Path:
    log = data / "server.log"
    if log.exists():
        log.replace(data / "server.log.1")
    begun = runner.run(
        *(programs.folder / "pg_ctl", "start", "-D", data, "-l", log, "-w", "-t", str(_RECOVERY_SECONDS), "-s")
    )
    if begun.returncode != 0:
        said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else begun.stderr
        raise LauncherError(_sentence(f"PostgreSQL does not start on {data}", said))
    return sockets


def _sentence(what: str, said: str) -> str:
    """One sentence out of a program's many: the known cause with its remedy, else its own last word."""
    if re.search(r"no space left|disk quota", said, re.IGNORECASE):
        return f"{what} because the disk is full: free 200 MB and start again."
    causes = re.findall(r"(?:FATAL|PANIC|error): +(.+)", said)
    cause = causes[0] if causes else (said.strip().splitlines() or ["it did not say why"])[-1]
    return f"{what}: {cause.rstrip('.')}."
