"""What one process shares between its requests, made at start-up and closed at the end."""

from dataclasses import dataclass

from redis.asyncio import Redis

from market.ground.db import Database, open_database
from market.ground.seal import Seal, open_seal
from market.ground.settings import Settings
from market.trade.rush import Rush
from payments.stripe import Gateway
from storefront.cache import open_redis
from storefront.regulars import Regulars
from storefront.render import Pages
from storefront.sessions import Sessions
from storefront.storage import Storage, open_storage


@dataclass(frozen=True)
class State:
    """Connections and clients of a web process."""

    settings: Settings
    database: Database
    rush: Rush
    regulars: Regulars
    redis: Redis
    sessions: Sessions
    pages: Pages
    gateway: Gateway
    seal: Seal
    storage: Storage
    reports: Database | None = None
    """A replica for reports, where there is one."""

    async def close(self) -> None:
        """Close every connection."""
        await self.gateway.hang_up()
        await self.redis.aclose()
        await self.database.close()
        if self.reports is not None:
            await self.reports.close()


def open_state(settings: Settings) -> State:
    """Everything a web process needs. Nothing is connected before it is used."""
    redis = open_redis(settings.redis_url)
    database = open_database(settings)
    secret = settings.secret_key.get_secret_value()
    return State(
        settings=settings,
        database=database,
        rush=Rush(database),
        regulars=Regulars(),
        redis=redis,
        sessions=Sessions(redis, settings),
        pages=Pages(secret, demo=settings.demo, secure=settings.public_url.startswith("https://")),
        gateway=Gateway(settings),
        seal=open_seal(settings),
        storage=open_storage(settings),
        reports=Database(settings.reports_database_url) if settings.reports_database_url else None,
    )
