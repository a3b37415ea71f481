"""Redis, or its stand-in inside the process. Holds sessions, codes and limits; losing it loses no order."""

import fakeredis
from redis.asyncio import Redis

MEMORY = "memory://"
_inside: dict[str, fakeredis.FakeServer] = {}


def open_redis(url: str) -> Redis:
    """A client for that address. `memory://NAME` is a store shared by this process, gone with it."""
    if url.startswith(MEMORY):
        server = _inside.setdefault(url, fakeredis.FakeServer())
        return fakeredis.FakeAsyncRedis(server=server, decode_responses=True)
    return Redis.from_url(url, decode_responses=True)


async def within_limit(redis: Redis, key: str, *, most: int, seconds: int) -> bool:
    """Count one more try under this key; False when there were more than `most` in the window."""
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.incr(f"limit:{key}")
        await pipe.expire(f"limit:{key}", seconds, nx=True)
        tries, _ = await pipe.execute()
    return int(tries) <= most
