"""Stations: where agents list, pack and answer on behalf of households."""

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import new_id, place_code
from market.people.accounts import Viewer


class Station(SQLModel, table=True):
    """电商服务站: an e-commerce aid station of a township or village."""

    __tablename__ = "stations"

    id: int | None = new_id()
    name: str = Field(max_length=60)
    division_code: str = place_code(references=True, index=True)
    phone: str = Field(default="", max_length=20)


def visible_to(viewer: Viewer) -> SelectOfScalar[Station]:
    """The stations a person is an agent of."""
    return select(Station).where(col(Station.id).in_(viewer.station_ids)).order_by(col(Station.name))
