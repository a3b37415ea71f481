"""Work units of the demo world that pay by bank transfer: yesterday's statement is taken, today's waits for a look."""

import hashlib
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.ground.clock import day_of
from market.ground.money import decimal_yuan
from market.ground.settings import Settings
from market.people.units import Wallet, WorkUnit
from market.trade import placing
from market.trade.placing import Item, Terms
from payments import asides, bank_files, decisions, desk, payees, row_remarks, settling, statements
from payments.bank_rows import BankRow
from payments.decisions import Word
from payments.outcomes import Outcome, Use
from payments.payees import Details
from payments.records import Method
from payments.statements import Sent
from payments.stripe import Gateway
from storefront.local.world.goods import Lot
from storefront.local.world.people import VILLAGE, Cast, Person

_HOUR = timedelta(hours=1)
_COUNTY = VILLAGE[:6]
_ACCOUNT = "620000000000141102"
_PAYEE = Details("演示村股份经济合作社", "演示农村信用合作联社", _ACCOUNT)
_ORDERS = 9
_ENOUGH = 30
_HEAD = "交易日期,收入金额,支出金额,对方户名,对方账号,附言,币种,交易流水号"


class Promise(NamedTuple):
    """An order a work unit promised a transfer for."""

    reference: str
    fen: int
    unit: str


class Wire(NamedTuple):
    """A line of the bank's."""

    fen: int
    name: str
    memo: str
    currency: str = "人民币"
    days_ago: int = 0


async def bring(session: AsyncSession, settings: Settings, cast: Cast, lots: list[Lot], *, now: datetime) -> None:
    """Write the payee, the orders, and both statements with what the accountant has decided so far."""
    entered = await payees.enter(session, cast.administrators[0], _COUNTY, _PAYEE, now=now - 60 * 24 * _HOUR)
    await payees.confirm(session, cast.accountants[1], entered.id or 0, now=now - 59 * 24 * _HOUR)
    waiting = await _promised(session, settings, cast, lots, now - 26 * _HOUR)
    exact, part, over, misspelt, *later = waiting
    yesterday = [
        Wire(exact.fen, exact.unit, f"货款{exact.reference}"),
        Wire(part.fen // 2, part.unit, part.reference),
        Wire(over.fen + 2000, over.unit, f"食堂采购 {over.reference}"),
        Wire(misspelt.fen, misspelt.unit, misspelt.reference[:-1]),
        Wire(8800, "演示过路人", "买小米"),
        Wire(-500, "演示农村信用合作联社", "账户管理费"),
    ]
    statement_id = await _brought(session, cast, entered.id or 0, yesterday, day_of(now - 24 * _HOUR), now - 3 * _HOUR)
    await statements.take(session, cast.accountants[0], statement_id, now=now - 2 * _HOUR)
    await _settle(session, statement_id, now - 2 * _HOUR)
    await _decide(session, cast, statement_id, now - _HOUR)
    first, second, third, silent, _never = later
    today = [
        yesterday[0]._replace(days_ago=1),
        Wire(part.fen - part.fen // 2, part.unit, f"尾款 {part.reference}"),
        Wire(first.fen, first.unit, f"{first.reference[:3]} {first.reference[3:]}"),
        Wire(second.fen + third.fen, second.unit, f"{second.reference} {third.reference}"),
        Wire(silent.fen, silent.unit, "采购农产品"),
        Wire(10000, "演示外贸公司", "payment", "美元"),
    ]
    await _brought(session, cast, entered.id or 0, today, day_of(now), now - _HOUR / 2)


async def _promised(
    session: AsyncSession, settings: Settings, cast: Cast, lots: list[Lot], at: datetime
) -> list[Promise]:
    """Canteen orders of several units, placed and promised by their clerks."""
    gateway = Gateway(settings)
    plenty = [lot for lot in lots if lot.is_live and lot.left > _ENOUGH]
    clerks = [buyer for buyer in cast.buyers if buyer.is_clerk]
    names = dict((await session.exec(select(WorkUnit.id, WorkUnit.name))).all())
    made = []
    for number in range(_ORDERS):
        clerk = clerks[number % len(clerks)]
        items = [Item(plenty[(number * 5 + 2) % len(plenty)].listing_id, 3 + number)]
        placed = await placing.place(session, clerk.viewer, items, _terms(cast, clerk, at), now=at)
        payment = await desk.start(session, gateway, clerk.viewer, placed.no, Method.TRANSFER, return_url="", now=at)
        made.append(Promise(payment.reference or "", payment.amount_fen, names.get(clerk.work_unit_id, "")))
    return made


def _terms(cast: Cast, clerk: Person, at: datetime) -> Terms:
    handover = stops.next_handover(cast.stops[clerk.work_unit_id], at)
    return Terms(
        wallet=Wallet.CANTEEN, stop_id=handover.stop.id or 0, county_code=handover.county_code,
        handover_on=handover.on, cutoff_at=handover.cutoff_at, work_unit_id=clerk.work_unit_id,
    )  # fmt: skip


async def _brought(session: AsyncSession, cast: Cast, payee_id: int, wires: list[Wire], on: date, now: datetime) -> int:
    """A file of the bank, sent by the first accountant; the statement's id."""
    content = "\n".join([f"账号：{_ACCOUNT}", _HEAD, *(_line(wire, on) for wire in wires)]).encode("gb18030")
    name = f"账户明细{on:%Y%m%d}.csv"
    sent = Sent(name, hashlib.sha256(content).hexdigest(), bank_files.read(content, name))
    return (await statements.bring(session, cast.accountants[0], payee_id, sent, now=now)).id or 0


def _line(wire: Wire, on: date) -> str:
    amounts = (decimal_yuan(wire.fen), "") if wire.fen > 0 else ("", decimal_yuan(-wire.fen))
    serial = hashlib.sha256(f"{wire.memo} {wire.name}".encode()).hexdigest()[:12].upper()
    day = f"{on - timedelta(days=wire.days_ago):%Y%m%d}"
    return ",".join([day, *amounts, wire.name, "6200009999990000", wire.memo, wire.currency, serial])


async def _settle(session: AsyncSession, statement_id: int, now: datetime) -> None:
    for part_id in await settling.agreed(session, statement_id):
        await settling.settle(session, part_id, now=now)


async def _decide(session: AsyncSession, cast: Cast, statement_id: int, now: datetime) -> None:
    """What was over goes back, the bank's fee is none of ours, and about a stranger's money somebody was called."""
    rows = (await session.exec(statements.rows_of(statement_id).order_by(col(BankRow.id)))).all()
    by = cast.accountants[0]
    for row in rows:
        row_id = row.id or 0
        if row.outcome is Outcome.OVER:
            await decisions.confirm(session, Word(by, "打过电话，多的退回"), row_id, rest_back=True, now=now)
        elif row.outcome is Outcome.OUTGOING:
            await asides.set_aside(session, Word(by, "银行扣的账户管理费"), row_id, Use.FOREIGN, now=now)
        elif row.outcome is Outcome.NO_REFERENCE:
            await row_remarks.leave(session, Word(by, "村里在打听是谁转的"), row_id, now=now)
    await _settle(session, statement_id, now)
