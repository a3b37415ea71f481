"""Whether all is well: stock and money against themselves, and against the provider."""

import asyncio
import sys
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.settings import Settings
from storefront.commands.frame import app, embedded, in_transaction, opened

if TYPE_CHECKING:
    from payments.reconcile import Window
    from payments.reconciliations import Difference, Reconciliation


@app.command()
def verify() -> None:
    """Prove every invariant of stock and money. Exit 1 and a list of differences if any fails."""
    from market.reports import oversight
    from payments import proof

    async def look(session: AsyncSession) -> list[Any]:
        return [*await oversight.differences(session), *await proof.differences(session)]

    found = in_transaction(look)
    for difference in found:
        typer.echo(f"{difference.rule}: {difference.subject}: expected {difference.expected}, found {difference.found}")
    if found:
        sys.exit(1)
    typer.echo("Everything adds up.")


_DAYS = ["%Y-%m-%d"]
_TO_DO = {
    "missing_notice": "the provider had the money and its notice never came",
    "missing_refund_notice": "the provider had ended the refund and its notice never came",
    "refund_not_sent": "decided long ago and not handed over: look at the worker",
    "refund_missing": "the provider has no such refund: look for it in its dashboard",
    "refund_twice": "sent back by the provider and another way too: talk to the buyer",
    "unknown_refund": "made without the market: book it on its page at the desk",
    "unknown_charge": "names no payment of ours, or one that is paid: send it back in the provider's dashboard",
    "charge_missing": "paid by our books only: look at the payment, and whether the keys are still of the same account",
    "amount_differs": "another sum than the order's: settle it with the buyer",
    "refund_amount_differs": "another sum went back than was decided",
    "currency_differs": "not in the market's currency",
    "charge_without_order": "stands for no sale and is not owed back: report it",
    "ledger_differs": "the ledger says another sum: run verify, report it",
    "other_movement": "the provider moved money by itself, as after a dispute: see its dashboard",
}


@app.command()
def reconcile(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="First day; three days back if left out.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAYS, help="Last day; until now if left out.")
    ] = None,
) -> None:
    """Compare payments, refunds and ledger with the provider's list. Exit 1 if any difference is left unrepaired."""
    from market.ground import clock
    from payments.reconcile import of_days
    from storefront.local import cashier, defaults

    window = of_days(first and first.date(), last and last.date(), now=clock.now())
    with ExitStack() as stack:
        settings = stack.enter_context(embedded())
        if defaults.uses_test_cashier(settings):
            stack.enter_context(cashier.at_hand(settings))
        made, found = asyncio.run(_compared(settings, window))
    for each in found:
        typer.echo(
            f"{each.kind}: {each.subject}: expected {each.expected or 'nothing'}, found {each.found or 'nothing'}: "
            f"{each.condition} ({_TO_DO[each.kind]})"
        )
    typer.echo(f"{made.charge_count} charges, {made.refund_count} refunds: {made.found_count} differences, "
               f"{made.repaired_count} repaired, {made.left_count} left.")  # fmt: skip
    if made.left_count:
        sys.exit(1)


async def _compared(settings: Settings, window: "Window") -> "tuple[Reconciliation, list[Difference]]":
    import market.tables  # noqa: F401  rows refer to each other
    from market.ground import clock
    from payments import reconcile, reconciliations
    from payments.stripe import Gateway

    gateway = Gateway(settings)
    if not gateway.is_open:
        typer.echo("Online payment is not set up: there is nothing to compare.")
        sys.exit(0)
    async with opened(settings) as database:
        made = await reconcile.reconcile(database, gateway, window, now=clock.now())
        async with database.transaction() as session:
            found = await reconciliations.found_by(session, made)
    await gateway.hang_up()
    return made, found
