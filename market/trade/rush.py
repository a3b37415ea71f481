"""A rush: buyers who would wait, for the row of one listing or for a connection, share one transaction instead.

Whoever finds a free lane goes alone and at once; only when all lanes are busy those who come meanwhile go together.
Several processes may do this at the same time with the same goods: the database decides, as always.
"""

import asyncio
import json
import logging
from collections import deque
from dataclasses import dataclass

from market.ground.db import Database
from market.ground.errors import OutOfStock, ShortLine
from market.ground.express import LANES, Busy, RolledBack
from market.trade import placements, placing
from market.trade.carts import MOST_QUANTITY
from market.trade.placements import Placed, Wish

MOST = 64
"""How many orders share a transaction at most."""
log = logging.getLogger("yigou")


@dataclass(frozen=True)
class _Waiting:
    wish: Wish
    answer: "asyncio.Future[Placed | None]"

    def tell(self, placed: Placed | None) -> None:
        if not self.answer.done():  # a client who went away has cancelled it
            self.answer.set_result(placed)

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Rush:
    """Where one process places the orders that need nothing but the statement."""

    def __init__(self, database: Database, *, lanes: int = LANES) -> None:
        """Place in this database, in at most so many transactions at once."""
        self._database = database
        self._free = lanes
        self._waiting: deque[_Waiting] = deque()
        self._serving: set[asyncio.Task[None]] = set()

    async def place(self, wish: Wish) -> Placed | None:
        """Place the order and commit. OutOfStock when that is all that stands in its way.

        None when nothing was placed for any other reason. The wish carries its proof: the statement itself looks
        whether what was read before still holds. After any other error nobody knows whether the order was placed; its
        key tells.
        """
        if not self._free:
            waiting = _Waiting(wish, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            return await waiting.answer
        self._free -= 1
        try:
            placed = (await self._grant([wish])).get(wish.no)
            short = {} if placed else await self._short([wish])
        except RolledBack as error:
            log.info("an order was not placed at once: %s", error.__cause__)
            return None
        finally:
            self._next()
        if wish.no in short:
            raise short[wish.no]
        return placed

    def _next(self) -> None:
        """A lane is free: those who wait take it together."""
        together: list[_Waiting] = []
        while self._waiting and len(together) < MOST:
            one = self._waiting.popleft()
            if not one.answer.done():
                together.append(one)
        if together:
            task = asyncio.create_task(self._serve(together))
            self._serving.add(task)  # the loop itself would let go of it
            task.add_done_callback(self._serving.discard)
        else:
            self._free += 1

    async def _serve(self, together: list[_Waiting]) -> None:
        try:
            await self._place(together)
        except BaseException as error:
            for one in together:
                one.fail(error if isinstance(error, Exception) else ConnectionAbortedError("the process is ending"))
            if not isinstance(error, Exception):
                raise
        finally:
            self._next()

    async def _place(self, together: list[_Waiting]) -> None:
        """One transaction for all; those who get nothing there are tried alone, in the order they came."""
        first: dict[tuple[int, str], _Waiting] = {}
        for one in together:
            if first.setdefault(one.wish.key, one) is not one:
                one.tell(None)  # the same call twice at once: the whole way says so
        try:
            placed = await self._grant([one.wish for one in first.values()])
        except Busy:
            for one in first.values():
                one.tell(None)  # each waits on a connection of its own, or does not have to
            return
        except RolledBack as error:
            log.info("%d orders go one by one: %s", len(first), error.__cause__)
            placed = {}
        for one in first.values():
            if one.wish.no in placed:
                one.tell(placed[one.wish.no])
        await self._one_by_one([one for one in first.values() if one.wish.no not in placed])

    async def _one_by_one(self, left_out: list[_Waiting]) -> None:
        """After a refusal nobody who wants as much of the same, or more, is tried again here."""
        refused: dict[int, int] = {}
        unplaced: list[_Waiting] = []
        for one in left_out:
            wanted = one.wish.items[0]
            if wanted.quantity >= refused.get(wanted.listing_id, MOST_QUANTITY + 1):
                unplaced.append(one)
                continue
            try:
                placed = (await self._grant([one.wish])).get(one.wish.no)
            except RolledBack as error:
                if isinstance(error, Busy):
                    refused[wanted.listing_id] = 0
                one.tell(None)
            except Exception as error:  # noqa: BLE001  the others go on; whoever waits for this one gets it
                one.fail(error)
            else:
                if placed is None:
                    refused[wanted.listing_id] = wanted.quantity
                    unplaced.append(one)
                else:
                    one.tell(placed)
        await self._explain(unplaced)

    async def _explain(self, unplaced: list[_Waiting]) -> None:
        """The goods are gone: said to all at once. Whoever has another reason hears it on the whole way."""
        short = await self._short([one.wish for one in unplaced]) if unplaced else {}
        for one in unplaced:
            if one.wish.no in short:
                one.fail(short[one.wish.no])
            else:
                one.tell(None)

    async def _grant(self, wishes: list[Wish]) -> dict[str, Placed]:
        rows = await self._database.express.fetch(*placements.granting(wishes))
        return {row["no"]: placing.told(row["answer"]) for row in rows}

    async def _short(self, wishes: list[Wish]) -> dict[str, OutOfStock]:
        try:
            rows = await self._database.express.fetch(*placements.refusing(wishes))
        except RolledBack:
            return {}
        return {row["no"]: OutOfStock([ShortLine(**line) for line in json.loads(row["short"])]) for row in rows}
