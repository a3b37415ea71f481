"""The village door: selling from a phone, by a household or by the agent of its station."""

from fastapi import APIRouter

from storefront.once import OnceDep
from storefront.pages.village import (
    acts,
    answers,
    card,
    costs,
    disagreements,
    goods,
    households,
    kept_drafts,
    listings,
    looks,
    lots,
    means,
    money,
    new_goods,
    offline,
    orders,
    outbox,
    papers_to_print,
    statement,
    together,
    typing_in,
)

_door = APIRouter(dependencies=[OnceDep])
for _rooms in (
    households,
    outbox,
    new_goods,
    offline,
    kept_drafts,
    goods,
    listings,
    lots,
    means,
    disagreements,
    orders,
    answers,
    money,
    costs,
    looks,
    card,
    acts,
    together,
    typing_in,
    statement,
    papers_to_print,
):
    _door.include_router(_rooms.router)

routers = [_door]
