"""Ports of this machine: the market's own, taken before anything slow begins, and a free one beside it."""

import errno
import socket

from storefront.local import LauncherError


def take(host: str, port: int) -> socket.socket:
    """A socket bound to the address, which nobody can take from us any more. Raises LauncherError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise LauncherError(_reason(error, host, port)) from error
    return door


def free_near(port: int) -> int:
    """`port` when nobody has it, else any free one."""
    for wanted in (port, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except (OSError, OverflowError):
                continue
            return int(probe.getsockname()[1])
    raise LauncherError("This machine has no free port left: end some programs and start again.")


def _reason(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} is taken: end the program that has it, or choose another as in PORT={port + 10} bin/run."
            )
        case errno.EACCES:
            return f"Port {port} is for root only: choose one from 1024 on, as in PORT=8000 bin/run."
        case _:
            return (
                f"The address {host} is not one of this machine's ({error.strerror}): set HOST to 127.0.0.1 or 0.0.0.0."
            )
