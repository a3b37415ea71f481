"""Every setting, read once from the environment and never changed afterwards."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_SECRET = "only-for-a-machine-nobody-else-reaches"  # noqa: S105  refused outside demo mode, see `_keep_secrets`
_LEAST_SEAL_KEY = 32


def _env(name: str) -> AliasChoices:
    """Read the variable NAME, but let code pass the field by its own name."""
    return AliasChoices(name, name.lower().removeprefix("yigou_"))


class Settings(BaseSettings):
    """What the county decides outside the database. Names of variables are the contract (docs/operations.md)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True)

    database_url: Annotated[str | None, Field(validation_alias=_env("DATABASE_URL"))] = None
    reports_database_url: Annotated[str | None, Field(validation_alias=_env("REPORTS_DATABASE_URL"))] = None
    database_pool: Annotated[int, Field(ge=1, le=200, validation_alias=_env("YIGOU_DATABASE_POOL"))] = 12
    redis_url: Annotated[str, Field(validation_alias=_env("REDIS_URL"))] = "memory://"

    stripe_secret_key: Annotated[SecretStr | None, Field(validation_alias=_env("STRIPE_SECRET_KEY"))] = None
    stripe_webhook_secret: Annotated[SecretStr | None, Field(validation_alias=_env("STRIPE_WEBHOOK_SECRET"))] = None
    stripe_api_base: Annotated[str | None, Field(validation_alias=_env("STRIPE_API_BASE"))] = None

    secret_key: Annotated[SecretStr, Field(validation_alias=_env("YIGOU_SECRET_KEY"))] = SecretStr(DEFAULT_SECRET)
    seal_keys: Annotated[SecretStr | None, Field(validation_alias=_env("YIGOU_SEAL_KEYS"))] = None
    demo: Annotated[bool, Field(validation_alias=_env("YIGOU_DEMO"))] = False
    var: Annotated[Path, Field(validation_alias=_env("YIGOU_VAR"))] = Path("var")
    host: Annotated[str, Field(validation_alias=_env("HOST"))] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, validation_alias=_env("PORT"))] = 8000
    public_url: Annotated[str, Field(validation_alias=_env("YIGOU_PUBLIC_URL"))] = "http://localhost:8000"
    trusted_proxies: Annotated[str, Field(validation_alias=_env("YIGOU_TRUSTED_PROXIES"))] = "127.0.0.1"
    sms_url: Annotated[str | None, Field(validation_alias=_env("YIGOU_SMS_URL"))] = None
    photos_url: Annotated[str | None, Field(validation_alias=_env("YIGOU_PHOTOS_URL"))] = None
    photos_public_url: Annotated[str | None, Field(validation_alias=_env("YIGOU_PHOTOS_PUBLIC_URL"))] = None
    photos_key_id: Annotated[str | None, Field(validation_alias=_env("YIGOU_PHOTOS_KEY_ID"))] = None
    photos_secret: Annotated[SecretStr | None, Field(validation_alias=_env("YIGOU_PHOTOS_SECRET"))] = None
    worker_in_web: Annotated[bool, Field(validation_alias=_env("YIGOU_WORKER_IN_WEB"))] = True

    @property
    def photos(self) -> Path:
        """Folder of the listings' photos."""
        return self.var / "photos"

    @property
    def seal_secrets(self) -> list[str]:
        """What card numbers are sealed with: the first seals, all open. Without any of its own: the secret key."""
        own = self.seal_keys.get_secret_value() if self.seal_keys else ""
        return [part.strip() for part in own.split(",") if part.strip()] or [self.secret_key.get_secret_value()]

    @model_validator(mode="after")
    def _keep_secrets(self) -> Self:
        """A public server with the published default key would let anyone sign a session for anyone."""
        if not self.demo and self.secret_key.get_secret_value() == DEFAULT_SECRET:
            msg = "YIGOU_SECRET_KEY is not set. Set it to a long random text, or start the demo with bin/run."
            raise ValueError(msg)
        if self.seal_keys and len(self.seal_secrets[0]) < _LEAST_SEAL_KEY:
            msg = f"The first of YIGOU_SEAL_KEYS is too short: take {_LEAST_SEAL_KEY} random characters or more."
            raise ValueError(msg)
        return self
