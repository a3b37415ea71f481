"""Six-digit codes sent to a phone: hashed, good for five minutes and five tries, and not too many at once."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from redis.asyncio import Redis

from market.ground.errors import Malformed, TooManyTries
from storefront.cache import within_limit

GOOD_FOR = timedelta(minutes=5)
MOST_TRIES = 5
_PER_PHONE, _PER_ADDRESS = 5, 60
_HOUR = 3600


async def issue(redis: Redis, key: str, *, phone: str, address: str) -> str:
    """A new code for the phone, replacing any earlier one. TooManyTries above 5 an hour a phone, 60 an address."""
    for limit, most in ((f"code:phone:{phone}", _PER_PHONE), (f"code:address:{address}", _PER_ADDRESS)):
        if not await within_limit(redis, limit, most=most, seconds=_HOUR):
            raise TooManyTries
    code = f"{secrets.randbelow(1_000_000):06d}"
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.set(f"code:{phone}", _hash(key, phone, code), ex=GOOD_FOR)
        await pipe.delete(f"code:{phone}:tries")
        await pipe.execute()
    return code


async def check(redis: Redis, key: str, *, phone: str, code: str) -> None:
    """Use the code up. Malformed when it is wrong or no longer good, TooManyTries after five wrong ones."""
    tries = await redis.incr(f"code:{phone}:tries")
    await redis.expire(f"code:{phone}:tries", GOOD_FOR)
    if tries > MOST_TRIES:
        await redis.delete(f"code:{phone}")
        raise TooManyTries
    wanted = await redis.get(f"code:{phone}")
    if wanted is None:
        raise Malformed("code", "code_expired")
    if not hmac.compare_digest(str(wanted), _hash(key, phone, code.strip())):
        raise Malformed("code", "code_wrong")
    if not await redis.delete(f"code:{phone}"):
        raise Malformed("code", "code_expired")


def _hash(key: str, phone: str, code: str) -> str:
    return hmac.new(key.encode(), f"code:{phone}:{code}".encode(), hashlib.sha256).hexdigest()
