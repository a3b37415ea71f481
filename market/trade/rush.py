"""A rush: placing an order in one statement of its own, and buyers of one listing who wait together in one."""

import logging

from market.ground.db import Database
from market.ground.express import RolledBack
from market.trade import placements, placing
from market.trade.placements import Placed, Wish

log = logging.getLogger("yigou")


class Rush:
    """The counter of one process where orders are placed that need nothing but the statement."""

    def __init__(self, database: Database) -> None:
        """Place in this database."""
        self._database = database

    async def place(self, wish: Wish) -> Placed | None:
        """Place the order and commit; None when nothing was placed, whatever the reason.

        The wish carries its proof: the statement itself looks whether what was read before still holds.
        """
        return (await self._grant([wish])).get(wish.no)

    async def _grant(self, wishes: list[Wish]) -> dict[str, Placed]:
        statement, values = placements.granting(wishes)
        try:
            rows = await self._database.express.fetch(statement, values)
        except RolledBack as error:
            log.info("nothing was placed: %s", error.__cause__)
            return {}
        return {row["no"]: placing.told(row["answer"]) for row in rows}
