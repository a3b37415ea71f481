"""What watches the market asks here: alive, ready, and how busy."""

from contextlib import suppress

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select
from starlette.responses import JSONResponse, PlainTextResponse, Response

from market.trade.orders import HOLDING, Order, OrderState
from storefront.deps import SessionDep, StateDep
from storefront.migrations import is_migrated

router = APIRouter(include_in_schema=False)

_ORDERS = Gauge("yigou_orders", "Orders by state", ["state"])


@router.get("/healthz")
async def show_health() -> PlainTextResponse:
    """Alive: the process answers."""
    return PlainTextResponse("ok")


@router.get("/readyz")
async def show_readiness(state: StateDep) -> JSONResponse:
    """Ready: database reachable and of this version's shape, Redis reachable."""
    found = {"database": False, "migrated": False, "redis": False}
    with suppress(SQLAlchemyError, OSError):
        async with state.database.engine.connect() as connection:
            found["database"] = True
            found["migrated"] = await connection.run_sync(is_migrated)
    with suppress(RedisError, OSError):
        found["redis"] = bool(await state.redis.ping())
    return JSONResponse(found, status_code=200 if all(found.values()) else 503)


@router.get("/metrics")
async def show_metrics(session: SessionDep) -> Response:
    """Prometheus: the process, and orders that wait for something (an index answers, however many there are)."""
    waiting = select(Order.state, func.count()).where(col(Order.state).in_(HOLDING)).group_by(col(Order.state))
    for state, number in (await session.exec(waiting)).all():
        _ORDERS.labels(OrderState(state).value).set(number)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
