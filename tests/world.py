"""One small named world: two villages, three households, a station, a work unit and its people."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time

from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery.stops import Stop
from market.goods import listings
from market.goods.capacity import Means
from market.goods.gates import Gate, Papers
from market.goods.listings import Offer
from market.goods.produce import Produce, ProduceMeasure, Ready
from market.goods.slaughter_points import SlaughterPoint
from market.ground import places
from market.ground.measure import Measure
from market.people import accounts
from market.people.accounts import Account, Role, Viewer
from market.people.households import Household, HouseholdStanding, StandingKind
from market.people.stations import Station
from market.people.units import WorkUnit

BEGIN = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""Monday 10:00 in the village, when the world was made."""
PAPERS = Papers("point", "140000202611020001", "0" * 32, issued_on=date(2026, 11, 2))
"""What mutton needs before anyone sees it; all of it invented."""
COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE = "141102", "141102006", "141102006201", "141102101205"


@dataclass
class World:
    """Ids by name."""

    wang: int
    """Household in Liangjiayan: mutton and pumpkins."""
    liu: int
    """Household in Liangjiayan: millet; nothing listed yet sold."""
    zhao: int
    """Household in Huilongta, another township: pears."""
    mutton: int
    """60 斤 at 35.00."""
    pumpkin: int
    """Listing: 100 个 at 6.00."""
    millet: int
    """50 袋 of 5 斤 at 40.00."""
    pear: int
    """20 箱 of 10 斤 at 45.00."""
    last_leg: int
    """One whole animal at 1,200.00: the last unit everyone wants."""
    wang_account: int
    zhao_account: int
    agent: int
    buyer: int
    second_buyer: int
    clerk: int
    officer: int
    township_officer: int
    organiser: int
    administrator: int
    accountant: int
    second_accountant: int
    township_accountant: int
    work_unit: int
    stop: int
    station: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "World":
        return cls(**json.loads(text))


async def build_world(session: AsyncSession) -> World:
    """Write the small world into an empty, migrated database."""
    await _places_and_produce(session)
    station = Station(name="交口电商服务站", division_code=TOWNSHIP)
    work_unit = WorkUnit(name="离石区人社局", short_name="人社局", division_code=COUNTY)
    session.add_all([station, work_unit])
    await session.flush()
    stop = Stop(
        name="人社局门口", address="滨河北路", division_code=COUNTY, work_unit_id=work_unit.id, cutoff_weekday=2,
        cutoff_time=time(12), handover_weekday=4, handover_from=time(10), handover_to=time(11, 30),
    )  # fmt: skip
    homes = {
        "wang": _household("0001", "王样例", VILLAGE, station.id),
        "liu": _household("0002", "刘样例", VILLAGE, station.id),
        "zhao": _household("0003", "赵样例", OTHER_VILLAGE, None),
    }
    session.add_all([stop, *homes.values()])
    await session.flush()
    session.add_all(
        HouseholdStanding(household_id=home.id or 0, standing_code="exited", from_on=date(2019, 5, 21))
        for home in homes.values()
    )
    people = await _people(session, homes, station, work_unit)
    goods = await _goods(session, homes)
    return World(
        **{name: home.id or 0 for name, home in homes.items()}, **goods, **people,
        work_unit=work_unit.id or 0, stop=stop.id or 0, station=station.id or 0,
    )  # fmt: skip


async def _places_and_produce(session: AsyncSession) -> None:
    named = {
        "14": "山西省", "1411": "吕梁市", COUNTY: "离石区", TOWNSHIP: "交口街道", "141102101": "信义镇",
        VILLAGE: "梁家墕", OTHER_VILLAGE: "回龙塔",
    }  # fmt: skip
    session.add_all(places.named(code, name) for code, name in named.items())
    await session.flush()
    session.add(places.alias(VILLAGE, "梁家焉"))
    session.add(StandingKind(code="exited", name="脱贫户", name_en="Exited household", counts=True, rank=1))
    session.add(StandingKind(code="ordinary", name="一般户", name_en="Ordinary household", counts=False, rank=9))
    await _gate(session)
    session.add_all(
        [
            Produce(
                code="mutton", name="羊肉", name_en="Mutton", words="羊", cold=True, storage_days=3, rank=1,
                ready=Ready.SLAUGHTERED, gate_code="meat", means_code="sheep", yield_grams=24_000,
            ),
            Produce(
                code="pumpkin", name="南瓜", name_en="Pumpkin", season_months=[10, 11], storage_days=90, rank=2,
                means_code="land", yield_grams=3_000_000,
            ),
            Produce(
                code="millet", name="小米", name_en="Millet", words="谷子", storage_days=210, rank=3,
                means_code="land", yield_grams=300_000,
            ),
            Produce(code="pear", name="玉露香梨", name_en="Yuluxiang pear", words="梨", rank=4),
        ]
    )  # fmt: skip
    await session.flush()
    session.add_all(
        [
            _prices("mutton", Measure.JIN, 500, (800, 3000, 4200, 9000), 400),
            _prices("mutton", Measure.KG, 500, (800, 3000, 4200, 9000), 200),
            _prices("mutton", Measure.HEAD, None, (40000, 100000, 160000, 300000), 20),
            _prices("pumpkin", Measure.PIECE, None, (100, 300, 800, 3000), 2000),
            _prices("millet", Measure.JIN, 500, (200, 600, 1100, 3000), 3000),
            _prices("millet", Measure.KG, 500, (200, 600, 1100, 3000), 1500),
            _prices("millet", Measure.BAG, 500, (200, 600, 1100, 3000), 500),
            _prices("pear", Measure.BOX, 500, (100, 300, 600, 2000), 300),
        ]
    )
    await session.flush()


async def _gate(session: AsyncSession) -> None:
    needs = ["slaughter_point", "certificate_no", "certificate_photo"]
    session.add(Gate(code="meat", name="肉类检疫", name_en="Meat inspection", needs=needs, note="肉要有检疫证"))
    session.add(Means(code="land", name="地", name_en="Land", unit="亩", unit_en="mu", rank=1))
    session.add(Means(code="sheep", name="羊", name_en="Sheep", unit="只", unit_en="head", rank=2))
    session.add(SlaughterPoint(code="point", name="样例屠宰点", division_code=COUNTY))
    await session.flush()


def _prices(code: str, measure: Measure, per: int | None, fen: tuple[int, int, int, int], most: int) -> ProduceMeasure:
    least, low, high, highest = fen
    packs = [2500, 5000] if measure.is_pack else []
    weights = _WEIGHTS.get((code, measure), (None, None, None))
    return ProduceMeasure(
        produce_code=code, measure=measure, per_grams=per, least_fen=least, low_fen=low, high_fen=high,
        most_fen=highest, most_quantity=most, pack_grams_choices=packs, source="样例", as_of_on=date(2026, 11, 1),
        least_grams=weights[0], typical_grams=weights[1], most_grams=weights[2],
    )  # fmt: skip


_WEIGHTS = {
    ("mutton", Measure.HEAD): (8_000, 20_000, 35_000),
    ("pumpkin", Measure.PIECE): (500, 3_000, 20_000),
}  # fmt: skip


def _household(number: str, head: str, village: str, station_id: int | None) -> Household:
    return Household(
        number=number, head_name=head, display_name=f"{head[0]}某", people_count=3, division_code=village,
        station_id=station_id, joined_at=BEGIN,
    )  # fmt: skip


async def _people(
    session: AsyncSession, homes: dict[str, Household], station: Station, work_unit: WorkUnit
) -> dict[str, int]:
    grants: dict[str, list[tuple[Role, dict[str, object]]]] = {
        "wang_account": [(Role.HOUSEHOLD, {"household_id": homes["wang"].id})],
        "zhao_account": [(Role.HOUSEHOLD, {"household_id": homes["zhao"].id})],
        "agent": [(Role.AGENT, {"station_id": station.id})],
        "buyer": [(Role.MEMBER, {"work_unit_id": work_unit.id})],
        "second_buyer": [(Role.MEMBER, {"work_unit_id": work_unit.id})],
        "clerk": [(Role.CLERK, {"work_unit_id": work_unit.id})],
        "officer": [(Role.OFFICER, {"division_code": COUNTY})],
        "township_officer": [(Role.OFFICER, {"division_code": "141102101"})],
        "organiser": [(Role.ORGANISER, {"division_code": COUNTY})],
        "administrator": [(Role.ADMINISTRATOR, {"division_code": COUNTY})],
        "accountant": [(Role.ACCOUNTANT, {"division_code": COUNTY})],
        "second_accountant": [(Role.ACCOUNTANT, {"division_code": COUNTY})],
        "township_accountant": [(Role.ACCOUNTANT, {"division_code": "141102101"})],
    }
    made: dict[str, int] = {}
    for at, (name, roles) in enumerate(grants.items()):
        account = Account(phone=f"1990000{at:04d}", name=name, created_at=BEGIN)
        session.add(account)
        await session.flush()
        for role, over in roles:
            await accounts.grant(session, account, role, now=BEGIN, **over)
        made[name] = account.id or 0
    return made


async def _goods(session: AsyncSession, homes: dict[str, Household]) -> dict[str, int]:
    offers = {
        "mutton": ("wang", Offer("mutton", Measure.JIN, 3500, 60, papers=PAPERS)),
        "pumpkin": ("wang", Offer("pumpkin", Measure.PIECE, 600, 100)),
        "millet": ("liu", Offer("millet", Measure.BAG, 4000, 50, grams_each=2500)),
        "pear": ("zhao", Offer("pear", Measure.BOX, 4500, 20, grams_each=5000)),
        "last_leg": ("wang", Offer("mutton", Measure.HEAD, 120000, 1, title="整只山羊", papers=PAPERS)),
    }
    nobody = Viewer()
    made = {}
    for name, (home, offer) in offers.items():
        made[name] = (await listings.put_up(session, nobody, homes[home], offer, now=BEGIN)).id or 0
    return made
