"""Who may do what, for those who have no administrator yet."""

from typing import Annotated, Any

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import audit, clock
from market.ground.errors import NotFound
from market.ground.places import Division, parse_code
from market.people import accounts
from market.people.accounts import Role
from market.people.households import Household
from market.people.stations import Station
from market.people.units import WorkUnit
from storefront.commands.frame import app, in_transaction


@app.command()
def token(phone: Annotated[str, typer.Option(help="Phone number of the account.")]) -> None:
    """Print a new API token for an account. It is shown once."""

    async def give(session: AsyncSession) -> str:
        account = await accounts.sign_up(session, phone=accounts.parse_phone(phone), now=clock.now())
        return await accounts.new_token(session, account, label="command", now=clock.now())

    typer.echo(in_transaction(give))


@app.command()
def grant(
    phone: Annotated[str, typer.Option(help="Phone number; the account is made if there is none.")],
    role: Annotated[Role, typer.Option()],
    over: Annotated[str, typer.Option(help="Division code, or id of the household, station or work unit.")],
    name: Annotated[str, typer.Option()] = "",
) -> None:
    """Give a role to a person, e.g. the first administrator of a county."""
    fields = {Role.HOUSEHOLD: "household_id", Role.AGENT: "station_id"}
    fields |= {Role.MEMBER: "work_unit_id", Role.CLERK: "work_unit_id"}
    field = fields.get(role, "division_code")
    held: dict[str, Any] = {"household_id": Household, "station_id": Station}
    held |= {"work_unit_id": WorkUnit, "division_code": Division}

    value: Any = parse_code(over) if field == "division_code" else _id(over)

    async def give(session: AsyncSession) -> str:
        if await session.get(held[field], value) is None:
            raise NotFound(field, over)
        account = await accounts.sign_up(session, phone=accounts.parse_phone(phone), name=name, now=clock.now())
        await accounts.grant(session, account, role, now=clock.now(), **{field: value})
        audit.note(session, None, "give_role", subject=f"{role}:{value}", note=account.phone or "", now=clock.now())
        return f"{account.name} is now {role} over {over}."

    typer.echo(in_transaction(give))


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004  as long as an id can be
        raise ValueError(f"--over takes the id of a household, station or work unit, a number: not {text}.")
    return int(text)
