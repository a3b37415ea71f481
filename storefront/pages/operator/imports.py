"""The register as a file: sent, looked at line by line, and only then taken, whole or not at all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed, NotFound
from market.people.accounts import Viewer
from market.people.households import StandingKind
from storefront import register_files, registers
from storefront.deps import NowDep, PageDep, SessionDep, SettingsDep, StartAgain
from storefront.findings import REASONS, Change
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep
from storefront.pages.operator.wording import reject
from storefront.registers import HOUSEHOLD_COLUMNS
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/imports"
_VILLAGE, _STANDING = HOUSEHOLD_COLUMNS[1], HOUSEHOLD_COLUMNS[4]


@dataclass(frozen=True)
class Sent:
    """A file and who sent it."""

    path: Path
    by: Viewer


def _sent(viewer: AdministratorDep, settings: SettingsDep, key: str) -> Sent:
    try:
        return Sent(register_files.find(key, settings.var / "imports", viewer.id), viewer)
    except NotFound as error:
        said = _("这份名册已经放了一个多小时，为了安全删掉了，请再选一次文件。")
        raise StartAgain(f"{_HERE}/new", "info", said) from error


SentDep = Annotated[Sent, Depends(_sent)]
"""The file of this address, sent by this person within the hour."""


@router.get("/operator/imports/new")
async def show_new_import(page: PageDep, session: SessionDep, _viewer: AdministratorDep) -> Response:
    """Ask for the file, and say what has to be in it."""
    return await _ask(page, session, Form({}, {}))


@router.post("/operator/imports")
async def create_import(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, settings: SettingsDep
) -> Response:
    """Keep the file for an hour and show what it would change; nothing is taken yet."""
    form = await read_form(request)
    try:
        key = await register_files.keep(form.files.get("file"), settings.var / "imports", viewer.id)
    except Malformed as error:
        reject(form, error)
        return await _ask(page, session, form)
    return page.redirect(f"{_HERE}/{key}")


@router.get("/operator/imports/{key}")
async def show_import(
    page: PageDep, session: SessionDep, sent: SentDep, asked: AskedDep, now: NowDep, key: str
) -> Response:
    """What the file would change, or every line that is wrong with its reason."""
    found = await registers.import_households(session, sent.path, now=now, preview=True, by=sent.by)
    here, until = f"{_HERE}/{key}", asked.offset + PAGE
    problems, changes = found.problems[asked.offset : until], found.changes[asked.offset : until]
    turns = asked.turns(here, max(len(found.problems), len(found.changes)) - asked.offset)
    shown: dict[str, Any] = {
        "problems": problems,
        "changes": await _said(session, changes),
        "turns": turns,
        "reasons": REASONS,
    }
    return page("operator/import.html", here=here, found=found, **shown)


@router.post("/operator/imports/{key}/application")
async def create_application(page: PageDep, session: SessionDep, sent: SentDep, now: NowDep, key: str) -> Response:
    """Take the file. Taken twice, it changes nothing the second time; with a bad line, nothing at all."""
    found = await registers.import_households(session, sent.path, now=now, by=sent.by)
    if not found.applied:
        return page.redirect(f"{_HERE}/{key}")
    return page.redirect("/operator/households", ("success", _("名册已导入：%(counts)s", counts=found)))


async def _ask(page: PageDep, session: AsyncSession, form: Form) -> Response:
    kinds = await session.exec(select(StandingKind.name).order_by(StandingKind.rank))  # type: ignore[arg-type]
    status = 200 if form.ok else 422
    return page("operator/new_import.html", status=status, form=form, columns=HOUSEHOLD_COLUMNS, kinds=kinds.all())


async def _said(session: AsyncSession, changes: list[Change]) -> list[dict[str, Any]]:
    """Changes with names in place of codes."""
    kinds = dict((await session.exec(select(StandingKind.code, StandingKind.name))).all())
    villages = await places.names(session, {code for change in changes for code in change.fields.get(_VILLAGE, ())})
    names = {_STANDING: kinds, _VILLAGE: villages}
    return [
        {
            "number": change.number,
            "fields": [
                (column, *(names.get(column, {}).get(value, value) for value in pair))
                for column, pair in change.fields.items()
            ],
        }
        for change in changes
    ]
