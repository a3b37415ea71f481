"""Who is looking: a signed cookie names a browser, Redis remembers which account signed in there.

The cookie also carries the cart of a visitor and the key of the CSRF token. At sign-in the name changes, so that a
name planted beforehand is worth nothing.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadSignature, Signer
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from market.ground.errors import NotAllowed
from market.ground.settings import Settings

COOKIE, PHONE = "yigou", "yigou_phone"
KEPT, PHONE_KEPT = timedelta(days=30), timedelta(days=400)
"""A browser keeps no cookie for longer than 400 days."""
_NAME_BYTES = 18


@dataclass
class BrowserSession:
    """One browser: its name, and the account signed in there, if any."""

    name: str
    is_new: bool
    account_id: int | None = None
    device_id: int | None = None
    """The phone of a door card, where that is how they came in: what it may do is read afresh at each request."""

    @property
    def visitor(self) -> str:
        """Owner of a visitor's cart; a hash, so that the database never holds a cookie's value."""
        return "v:" + hashlib.sha256(self.name.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Phone:
    """One phone, or rather one browser on it: what a door card was opened on. It outlives sign-ins."""

    name: str
    is_new: bool

    @property
    def hash(self) -> str:
        """What the database knows it by."""
        return hashlib.sha256(self.name.encode()).hexdigest()


class Sessions:
    """Opens, starts and ends browser sessions."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        """Keep the keys; nothing is read yet."""
        self._redis = redis
        self._key = settings.secret_key.get_secret_value()
        self._signer = Signer(self._key, salt="browser")
        self._secure = settings.public_url.startswith("https://")

    async def open(self, request: Request) -> BrowserSession:
        """The session of this request; a new one for a missing or tampered cookie."""
        name = self._read(request.cookies.get(COOKIE))
        if name is None:
            return BrowserSession(secrets.token_urlsafe(_NAME_BYTES), is_new=True)
        kept = await self._redis.getex(_key_of(name), ex=KEPT)
        known = json.loads(kept) if kept else {}
        return BrowserSession(
            name, is_new=False, account_id=known.get("account_id"), device_id=known.get("device_id")
        )  # fmt: skip

    async def sign_in(
        self, session: BrowserSession, account_id: int, *, device_id: int | None = None
    ) -> BrowserSession:
        """The account is signed in here from now on, under a new name; by a door card on this phone, or proven."""
        await self._redis.delete(_key_of(session.name))
        fresh = BrowserSession(secrets.token_urlsafe(_NAME_BYTES), True, account_id, device_id)
        known = {"account_id": account_id, **({"device_id": device_id} if device_id else {})}
        await self._redis.set(_key_of(fresh.name), json.dumps(known), ex=KEPT)
        return fresh

    async def sign_out(self, session: BrowserSession) -> BrowserSession:
        """Nobody is signed in here any more."""
        await self._redis.delete(_key_of(session.name))
        return BrowserSession(secrets.token_urlsafe(_NAME_BYTES), is_new=True)

    def write(self, response: Response, session: BrowserSession) -> None:
        """Hand the browser its name, if it does not have it yet."""
        if session.is_new:
            response.set_cookie(
                COOKIE,
                self._signer.sign(session.name).decode(),
                max_age=int(KEPT.total_seconds()),
                httponly=True,
                secure=self._secure,
                samesite="lax",
            )

    def phone(self, request: Request) -> Phone:
        """The phone this request comes from; one we have not seen before gets a name."""
        name = self._read(request.cookies.get(PHONE))
        return Phone(name or secrets.token_urlsafe(_NAME_BYTES), is_new=name is None)

    def write_phone(self, response: Response, phone: Phone) -> None:
        """Let the phone remember its name, also when nobody is signed in on it any more."""
        response.set_cookie(
            PHONE,
            self._signer.sign(phone.name).decode(),
            max_age=int(PHONE_KEPT.total_seconds()),
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )

    def csrf_token(self, session: BrowserSession) -> str:
        """The token every form of this browser carries."""
        return hmac.new(self._key.encode(), b"csrf" + session.name.encode(), hashlib.sha256).hexdigest()[:32]

    def check_csrf(self, session: BrowserSession, token: str) -> None:
        """Raise NotAllowed for a form that this browser was not given."""
        if session.is_new or not hmac.compare_digest(token.encode(), self.csrf_token(session).encode()):
            raise NotAllowed("csrf")

    def new_key(self, account_id: int) -> str:
        """A name for one tap on a form of this account's, as `storefront/once.py` wants it."""
        return f"{secrets.token_hex(8)}.{self.hand_of(account_id)}"

    def is_key_of(self, account_id: int, key: str) -> bool:
        """Whether this account may bring a form with that key: one that names nobody, or them."""
        _, _, hand = key.partition(".")
        return not hand or hmac.compare_digest(hand.encode(), self.hand_of(account_id).encode())

    def hand_of(self, account_id: int) -> str:
        """How phones know an account without learning its number."""
        return hmac.new(self._key.encode(), f"hand {account_id}".encode(), hashlib.sha256).hexdigest()[:12]

    def _read(self, cookie: str | None) -> str | None:
        try:
            return self._signer.unsign(cookie or "").decode()
        except (BadSignature, UnicodeDecodeError):
            return None


def _key_of(name: str) -> str:
    return "session:" + hashlib.sha256(name.encode()).hexdigest()
