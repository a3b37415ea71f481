"""Money is integer fen. One rounding rule, used once per line: half a fen goes up."""

import re

from market.ground.errors import Malformed

MAX_FEN = 99_999_999  # the provider's ceiling for one charge: eight digits in the smallest unit
_YUAN = re.compile(r"^(?P<yuan>[0-9]{1,7})(?:[.．](?P<fen>[0-9]{1,2}))?$")
_GRAMS_PER_JIN = 500


def parse_yuan(text: str, *, field: str = "price") -> int:
    """Fen from what a person types: `35`, `35.5`, `￥35.50`, full-width digits. Malformed for anything else."""
    plain = text.strip().removeprefix("¥").removeprefix("￥").removesuffix("元").replace(",", "").strip()
    plain = plain.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    found = _YUAN.match(plain)
    if found is None:
        raise Malformed(field, "not_an_amount", text[:40])
    return int(found["yuan"]) * 100 + int((found["fen"] or "0").ljust(2, "0"))


def format_yuan(fen: int) -> str:
    """`-1234567` as `-¥12,345.67`: the sign stands before the currency."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}¥{yuan:,}.{rest:02d}"


def decimal_yuan(fen: int) -> str:
    """`1234567` as `12345.67`, for files that machines read."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan}.{rest:02d}"


def weighed_fen(grams: int, price_fen_per_jin: int) -> int:
    """Price of a weight: grams x price per jin / 500, rounded half up to the fen, once per line (design §6)."""
    return (grams * price_fen_per_jin * 2 + _GRAMS_PER_JIN) // (2 * _GRAMS_PER_JIN)


def per_weight_fen(price_fen: int, pack_grams: int, weight_grams: int) -> int:
    """What `weight_grams` cost when `pack_grams` cost `price_fen`, rounded half up: for comparing offers only."""
    return (price_fen * weight_grams * 2 + pack_grams) // (2 * pack_grams)
