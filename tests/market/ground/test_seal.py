"""Sealed text says nothing, opens with any of the secrets, and only about what it was sealed for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from market.ground.errors import SealedShut
from market.ground.seal import Seal, open_seal
from market.ground.settings import Settings

OLD, NEW = "the first secret of this county long ago", "another secret which this county took later"


@given(st.text(max_size=60))
def test_what_was_sealed_comes_out_again(text: str) -> None:
    seal = Seal([OLD])
    sealed = seal.close(text, about="household 1")
    assert seal.open(sealed, about="household 1") == text


def test_it_shows_nothing_and_is_never_the_same_twice() -> None:
    seal = Seal([OLD])
    first, second = (seal.close("6200000000000000005", about="household 1") for _ in range(2))
    assert first != second
    assert "6200" not in first


def test_moved_to_another_household_it_stays_shut() -> None:
    seal = Seal([OLD])
    sealed = seal.close("6200000000000000005", about="household 1")
    with pytest.raises(SealedShut):
        seal.open(sealed, about="household 2")


def test_a_new_secret_seals_and_the_old_one_still_opens_until_it_is_thrown_away() -> None:
    before, both, after = Seal([OLD]), Seal([NEW, OLD]), Seal([NEW])
    sealed = before.close("x", about="a")
    assert both.open(sealed, about="a") == "x"
    with pytest.raises(SealedShut):
        after.open(sealed, about="a")
    assert after.open(both.renew(sealed, about="a"), about="a") == "x"
    assert after.open(both.close("y", about="a"), about="a") == "y"


@pytest.mark.parametrize("broken", ["", "x", "gAAAAA", "密封"])
def test_what_is_no_seal_is_said_to_be_shut(broken: str) -> None:
    with pytest.raises(SealedShut):
        Seal([OLD]).open(broken, about="a")


def test_the_secret_key_is_the_seal_until_there_are_keys_of_its_own() -> None:
    plain = Settings(secret_key=SecretStr(OLD))
    rotated = Settings(secret_key=SecretStr("whatever signs sessions now"), seal_keys=SecretStr(f"{NEW}, {OLD}"))
    sealed = open_seal(plain).close("x", about="a")
    assert open_seal(rotated).open(sealed, about="a") == "x"


def test_nothing_is_sealed_with_a_short_key() -> None:
    with pytest.raises(ValidationError, match="YIGOU_SEAL_KEYS"):
        Settings(demo=True, seal_keys=SecretStr(f"short,{NEW}"))
    assert Settings(demo=True, seal_keys=SecretStr(f"{NEW},short")).seal_secrets == [NEW, "short"]
