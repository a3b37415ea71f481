"""A form of the village door is taken once, however often a phone brings it.

Its `key` names the one tap it stands for and whose form it was. The answer is kept in the transaction that did the
work; the same form again gets the same answer. What a phone brings by itself (a header says so) is answered as JSON.
"""

import hashlib
from collections.abc import AsyncIterator

from fastapi import Depends, Request
from starlette.datastructures import FormData

from market.ground import idempotency
from market.ground.errors import OtherHands
from market.ground.idempotency import Claim
from storefront.deps import NowDep, SessionDep, StateDep, ViewerDep

_OF_EACH_SENDING = ("csrf_token", "key")


class Taken(Exception):
    """This form was taken before: roll back and answer as then."""

    def __init__(self, url: str, said: list[tuple[str, str]]) -> None:
        """It led to `url`, with these messages."""
        super().__init__(url)
        self.url, self.said = url, said


async def _once(
    request: Request, state: StateDep, session: SessionDep, viewer: ViewerDep, now: NowDep
) -> AsyncIterator[None]:
    given = (await request.form()) if request.method == "POST" and viewer.signed_in else FormData()
    key = str(given.get("key", ""))
    if not key:
        yield
        return
    if not state.sessions.is_key_of(viewer.id, key):
        # Filled in by one account, brought while another is signed in: not theirs to say.
        raise OtherHands
    request.state.form_key = key
    found = await idempotency.claim(session, viewer.id, key=_named(request, key, given), body=b"")
    if not isinstance(found, Claim):
        raise Taken(found["to"], [(kind, text) for kind, text in found["said"]])
    yield
    sent_on = getattr(request.state, "sent_on", None)
    if sent_on is not None:  # a page that asks again has written nothing
        url, said = sent_on
        idempotency.keep(session, found, answer={"to": url, "said": [list(each) for each in said]}, now=now)


def _named(request: Request, key: str, given: FormData) -> str:
    """One name for this key with this content: another answer on the same page is another act. Photos do not count."""
    texts = sorted((name, value) for name, value in given.multi_items() if isinstance(value, str))
    body = [request.url.path, key, *(pair for pair in texts if pair[0] not in _OF_EACH_SENDING)]
    return "form:" + hashlib.blake2b(repr(body).encode(), digest_size=20).hexdigest()


OnceDep = Depends(_once, scope="function")
"""For every form of a door that phones may bring twice."""
