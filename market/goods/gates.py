"""Gates: papers some produce needs before buyers may see it. Which ones is data."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ARRAY, String, UniqueConstraint
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import slaughter_points
from market.goods.slaughter_points import SlaughterPoint
from market.ground.clock import day_of
from market.ground.db import key_of, new_id
from market.ground.errors import Malformed

_NUMBER = re.compile(r"^[0-9A-Za-z\u3400-\u9fff()（）〔〕\[\]\-]{6,40}$")
_SPACE = re.compile(r"\s+")


class Paper(StrEnum):
    """One thing a gate may ask for."""

    SLAUGHTER_POINT = "slaughter_point"
    """屠宰点: where the animal was killed, one of the county's fixed points."""
    CERTIFICATE_NO = "certificate_no"
    """检疫证号: number of the quarantine certificate."""
    CERTIFICATE_PHOTO = "certificate_photo"
    """A photo of that certificate."""
    LICENCE_NO = "licence_no"
    """登记证号: number of a small food workshop's registration."""


class Gate(SQLModel, table=True):
    """关口: a named list of papers, with a kind word why."""

    __tablename__ = "gates"

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=20)
    name_en: str = Field(max_length=40)
    needs: list[str] = Field(sa_type=ARRAY(String))
    """Codes of papers, in the order they are asked for."""
    note: str = Field(default="", max_length=200)
    """Why, and what whoever has no such papers can do instead."""
    note_en: str = Field(default="", max_length=300)


class ListingPapers(SQLModel, table=True):
    """What was shown for one lot of a listing: the animals of one day, the making of one day."""

    __tablename__ = "listing_papers"
    __table_args__ = (UniqueConstraint("listing_id", "ready_on"),)

    id: int | None = new_id()
    listing_id: int = key_of("listings.id")
    ready_on: date
    slaughter_point_code: str | None = Field(default=None, foreign_key="slaughter_points.code", max_length=24)
    certificate_no: str = Field(default="", max_length=40, index=True)
    certificate_photo: str | None = Field(default=None, max_length=64)
    """Content hash of the photo: for the household and for officers, never for the shop."""
    licence_no: str = Field(default="", max_length=40)
    issued_on: date | None = None
    given_at: datetime
    given_by: int | None = key_of("accounts.id", default=None)


@dataclass(frozen=True)
class Papers:
    """Papers as somebody hands them in: any part of them, the rest may follow."""

    slaughter_point: str = ""
    certificate_no: str = ""
    certificate_photo: str | None = None
    licence_no: str = ""
    issued_on: date | None = None


@dataclass(frozen=True)
class Seen:
    """Papers as any buyer sees them: their numbers, never the photo, which may name people."""

    slaughter_point: str
    certificate_no: str
    licence_no: str
    issued_on: date | None


async def of_produce(session: AsyncSession, gate_code: str | None) -> Gate | None:
    """The gate of a produce that has one."""
    return await session.get(Gate, gate_code) if gate_code else None


async def of_lot(session: AsyncSession, listing_id: int, ready_on: date | None) -> ListingPapers | None:
    """The papers shown for one lot of a listing."""
    if ready_on is None:
        return None
    found = select(ListingPapers).where(ListingPapers.listing_id == listing_id, ListingPapers.ready_on == ready_on)
    return (await session.exec(found)).one_or_none()


async def seen_by_buyers(session: AsyncSession, listing_id: int, ready_on: date | None) -> Seen | None:
    """The papers of the lot on offer as far as any buyer may see them; None where there are none."""
    papers = await of_lot(session, listing_id, ready_on)
    if papers is None:
        return None
    point = await session.get(SlaughterPoint, papers.slaughter_point_code) if papers.slaughter_point_code else None
    return Seen(point.name if point else "", papers.certificate_no, papers.licence_no, papers.issued_on)


def missing(gate: Gate | None, papers: ListingPapers | None) -> tuple[Paper, ...]:
    """What a gate still asks for, in its order."""
    if gate is None:
        return ()
    there = {
        Paper.SLAUGHTER_POINT: papers and papers.slaughter_point_code,
        Paper.CERTIFICATE_NO: papers and papers.certificate_no,
        Paper.CERTIFICATE_PHOTO: papers and papers.certificate_photo,
        Paper.LICENCE_NO: papers and papers.licence_no,
    }
    return tuple(paper for paper in map(Paper, gate.needs) if not there[paper])


async def checked(session: AsyncSession, given: Papers, *, division_code: str, now: datetime) -> Papers:
    """The papers with their numbers tidied. Malformed names the one that cannot be."""
    if given.slaughter_point:
        usable = slaughter_points.usable_in(division_code).where(SlaughterPoint.code == given.slaughter_point)
        if (await session.exec(usable)).first() is None:
            raise Malformed("slaughter_point", "choose_one", given.slaughter_point[:24])
    if given.issued_on is not None and given.issued_on > day_of(now):
        raise Malformed("issued_on", "in_future", given.issued_on.isoformat())
    return Papers(
        given.slaughter_point,
        _number(given.certificate_no, "certificate_no"),
        given.certificate_photo,
        _number(given.licence_no, "licence_no"),
        given.issued_on,
    )


async def keep(
    session: AsyncSession, listing_id: int, ready_on: date, given: Papers, *, by: int | None, now: datetime
) -> ListingPapers:
    """Add what was handed in to what is there for the lot; what is left out stays."""
    papers = await of_lot(session, listing_id, ready_on)
    if papers is None:
        papers = ListingPapers(listing_id=listing_id, ready_on=ready_on, given_at=now)
        session.add(papers)
    papers.slaughter_point_code = given.slaughter_point or papers.slaughter_point_code
    papers.certificate_no = given.certificate_no or papers.certificate_no
    papers.certificate_photo = given.certificate_photo or papers.certificate_photo
    papers.licence_no = given.licence_no or papers.licence_no
    papers.issued_on = given.issued_on or papers.issued_on
    papers.given_at, papers.given_by = now, by
    return papers


def _number(text: str, field: str) -> str:
    """A paper's number without blanks; Malformed for what no office writes."""
    number = _SPACE.sub("", text)
    if number and not _NUMBER.match(number):
        raise Malformed(field, "not_a_paper_number", text[:40])
    return number
