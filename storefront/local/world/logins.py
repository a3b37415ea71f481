"""Whom one may be with one tap in the demo, and what the demo world's own file says about it."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("world.toml")


@dataclass(frozen=True)
class DemoLogin:
    """One invented person with one role."""

    key: str
    phone: str
    label: str
    label_en: str
    role: str


@cache
def world() -> dict[str, Any]:
    """The demo world's description."""
    return tomllib.loads(_FILE.read_text("utf-8"))


DEMO_LOGINS: tuple[DemoLogin, ...] = tuple(
    DemoLogin(found["key"], found["phone"], found["label"], found["label_en"], found["role"])
    for found in world()["logins"]
)
DEMO_ACCOUNTS: dict[str, str] = {login.key: login.phone for login in DEMO_LOGINS}
"""Phone numbers by key."""
