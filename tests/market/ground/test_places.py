"""Codes, names, aliases and spelling of places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import places
from market.ground.errors import Malformed, NotFound
from market.ground.places import Level
from tests.world import VILLAGE, World


@pytest.mark.parametrize(
    ("written", "code"),
    [("141102006201", "141102006201"), ("141102006000", "141102006"), ("141102000000", "141102"), ("14", "14")],
)
def test_trailing_zeros_are_only_padding(written: str, code: str) -> None:
    assert places.parse_code(written) == code


@pytest.mark.parametrize("nonsense", ["", "0", "1411020", "14110200620x", "041102", "1' OR 1=1", "1" * 13, "１４"])
def test_nonsense_is_no_place(nonsense: str) -> None:
    with pytest.raises(Malformed):
        places.parse_code(nonsense)


@given(st.sampled_from(list(Level)), st.integers(10**11, 10**12 - 1))
def test_a_place_lies_in_itself_and_in_all_above(level: Level, number: int) -> None:
    code = str(number)[:level]
    assert places.is_within(code, code)
    assert all(places.is_within(code, above) for above in places.parents(code))


def test_names_are_spelled_without_tones() -> None:
    assert places.spell("梁家墕") == ("liangjiayan", "ljy")


@pytest.mark.parametrize("text", ["梁家墕", "梁家焉", "liangjia", "ljy", "梁"])
async def test_a_village_is_found_by_every_name(session: AsyncSession, world: World, text: str) -> None:
    found = (await session.exec(places.called(text))).all()
    assert VILLAGE in [place.code for place in found]


async def test_an_unknown_code_is_not_found(session: AsyncSession, world: World) -> None:
    with pytest.raises(NotFound):
        await places.get(session, "141102006299")
