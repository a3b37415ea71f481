"""Settings for a machine where nobody set any: demo world, own database, own keys, test cashier next door."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from market.ground.settings import Settings
from storefront.local import keys, postgres

_DATABASE = "yigou"


def complete(*, port: int | None = None, cashier_port: int | None = None) -> Settings:
    """The settings of the environment, with what it leaves open filled in for this machine; no database yet.

    `port` is where the market listens, `cashier_port` its test cashier, by default the next one. Raises LauncherError
    when the data folder cannot be used, pydantic's ValidationError for a value that cannot be.
    """
    var = Path(os.environ.get("YIGOU_VAR") or "var").resolve()
    kept = keys.kept(var)
    asked = Settings(var=var, secret_key=SecretStr(os.environ.get("YIGOU_SECRET_KEY") or kept.secret_key))
    port = asked.port if port is None else port
    demo = asked.demo if os.environ.get("YIGOU_DEMO") else True
    filled: dict[str, object] = {"port": port, "demo": demo}
    if not os.environ.get("YIGOU_PUBLIC_URL"):
        filled["public_url"] = f"http://localhost:{port}"
    # Pretended money belongs to the demo only: a real market without a provider's key takes cash.
    if demo and not asked.stripe_secret_key:
        filled |= {
            "stripe_secret_key": SecretStr("sk_test_yigou"),
            "stripe_webhook_secret": SecretStr(kept.webhook_secret),
            "stripe_api_base": f"http://127.0.0.1:{cashier_port or port + 1}",
        }
    return asked.model_copy(update=filled)


def uses_test_cashier(settings: Settings) -> bool:
    """Whether payments go to our own simulator, on this machine."""
    return settings.stripe_api_base is not None and urlsplit(settings.stripe_api_base).hostname == "127.0.0.1"


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the market's database: the one named in the settings, else our own server's, up for the block."""
    if settings.database_url:
        yield settings.database_url
        return
    with postgres.serving(settings.var / "postgres") as url:
        _create_database(url)
        yield url.replace("@/postgres?", f"@/{_DATABASE}?")


def _create_database(url: str) -> None:
    with psycopg.connect(url.replace("+asyncpg", ""), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [_DATABASE]).fetchone():
            connection.execute(SQL("create database {}").format(Identifier(_DATABASE)))
