"""What the administrator's forms say when something cannot be taken."""

import re
from datetime import time

from market.ground.errors import Malformed
from storefront.errors import say_problem
from storefront.forms import Form
from storefront.texts import lazy_gettext as _l

_PHONE = re.compile(r"^[0-9+() -]{5,20}$")
_CLOCK = re.compile(r"^([01]?[0-9]|2[0-3])[:：]([0-5][0-9])$")
_DAYS = "0123456"
_SENTENCES = {
    "taken": _l("这个地方已经有同名的，请换个名字，或者看看是不是已经加过了"),
    "not_after": _l("结束的时间要比开始的晚"),
    "not_a_time": _l("请填时间，例如 10:30"),
    "not_a_phone": _l("请填电话号码，例如 0358-8220000"),
    "not_an_account": _l("账号是 8 到 34 位数字，请再看一眼"),
    "same": _l("已经登记过一样的账户了"),
    "no_file": _l("请选一个 CSV 或 XLSX 文件"),
}


def reject(form: Form, error: Malformed) -> None:
    """Note in the form what the market found wrong; the first problem said stands."""
    form.errors.setdefault(error.field, str(_SENTENCES.get(error.problem) or say_problem(error)))


def phone_in(form: Form) -> str:
    """The form's phone of a place: landlines too, and none is fine."""
    phone = form.text("phone", most=21)
    if phone and not _PHONE.match(phone):
        reject(form, Malformed("phone", "not_a_phone", phone))
    return phone


def time_in(form: Form, name: str) -> time:
    """A time of day, `10:30`; midnight beside an error otherwise."""
    text = form.text(name)
    found = _CLOCK.match(text)
    if found is None:
        reject(form, Malformed(name, "missing" if not text else "not_a_time", text))
        return time()
    return time(int(found[1]), int(found[2]))


def weekday_in(form: Form, name: str) -> int:
    """A day of the week, Monday = 0."""
    chosen = form.one_of(name, list(_DAYS))
    return _DAYS.index(chosen) if chosen in list(_DAYS) else 0
