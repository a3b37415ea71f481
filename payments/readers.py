"""Who of the bureau may read and settle the papers between us and the provider: those who answer for whole counties."""

from sqlalchemy import ColumnElement, SQLColumnExpression, or_
from sqlmodel import false

from market.ground import places
from market.ground.places import Level
from market.people.accounts import Role, Viewer

ROLES = (Role.OFFICER, Role.ACCOUNTANT)


def codes(viewer: Viewer) -> list[str]:
    """Divisions of at least a county whose money this person answers for, as an officer or an accountant."""
    held = {code for role in ROLES for code in viewer.division_codes(role)}
    return sorted(code for code in held if len(code) <= Level.COUNTY)


def theirs(county: SQLColumnExpression[str | None], viewer: Viewer) -> ColumnElement[bool]:
    """SQL: the county is theirs. What belongs to no county, such as a stranger's charge, is everybody's who has one."""
    held = codes(viewer)
    if not held:
        return false()
    return or_(county.is_(None), *(places.within(county, code) for code in held))  # type: ignore[arg-type]
