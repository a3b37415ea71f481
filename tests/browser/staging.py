"""Brings the demo world into every state a page can show: sold out, in every stage of paying, cancelled, refunded."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from uuid import uuid4

import httpx

from storefront.local.world.people import VILLAGE
from storefront.registers import HOUSEHOLD_COLUMNS

_TOKEN = re.compile(r'name="csrf_token"\s+value="([0-9a-f]+)"')
_HIDDEN = re.compile(r'<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"')
_STOP = re.compile(r'name="stop"\s+value="([^"]+)"')
_PATIENCE_SECONDS = 60
_DEAR_ENOUGH = 8
"""Yuan: cheaper orders cannot be paid online."""

_LISTS = ("proposed", "approved", "closed")

Places = dict[str, str]
"""What screens' addresses call `{order_paid}`, `{household}`, …"""


@dataclass
class Person:
    """Somebody's browser without a screen: opens pages and sends forms."""

    http: httpx.Client

    def read(self, path: str) -> str:
        """A page's markup."""
        answer = self.http.get(path)
        assert answer.is_success, f"{path}: {answer.status_code}"
        return answer.text

    def find(self, pattern: str, path: str) -> str:
        """The first piece of a page that matches."""
        found = re.search(pattern, self.read(path))
        assert found is not None, f"nothing like {pattern} at {path}"
        return unescape(found[1])

    def send(self, path: str, **fields: object) -> str:
        """Send a form; the address of the page that answers."""
        data = {"csrf_token": self.token(), **{key: str(value) for key, value in fields.items()}}
        return self._arrived(self.http.post(path, data=data))

    def upload(self, path: str, name: str, text: str) -> str:
        """Send a file; the address of the page that answers."""
        file = {"file": (name, text.encode())}
        return self._arrived(self.http.post(path, data={"csrf_token": self.token()}, files=file))

    def _arrived(self, answer: httpx.Response) -> str:
        assert answer.is_success, f"{answer.url}: {answer.status_code}"
        return answer.url.raw_path.decode()

    def token(self) -> str:
        """What every form of this browser carries."""
        found = _TOKEN.search(self.http.get("/account").text)
        assert found is not None
        return found[1]

    def put_in_cart(self, listing: str, quantity: int = 1) -> None:
        self.send("/cart/lines", listing_id=listing, quantity=quantity)

    def stand_at_checkout(self, listing: str, quantity: int = 1) -> dict[str, str]:
        """The checkout's form for this alone, filled in with the first stop."""
        self.put_in_cart(listing, quantity)
        page = self.read("/checkout")
        stop = _STOP.search(page)
        assert stop is not None, "no stop to choose"
        unit = re.search(r'<select[^>]*name="work_unit_id"[^>]*>\s*<option value="(\d*)"', page)
        chosen = {"stop": unescape(stop[1]), "work_unit_id": unit[1] if unit else "", "note": ""}
        return chosen | {
            name: unescape(value) for name, value in _HIDDEN.findall(page) if name in {"key", "lines", "wallet"}
        }

    def submit(self, form: dict[str, str]) -> str:
        """Place the order; its number."""
        return self.send("/checkout", **form).split("/")[2]

    def order(self, listing: str) -> str:
        """Order one of these; the order's number."""
        return self.submit(self.stand_at_checkout(listing))

    def pay(self, no: str, method: str, outcome: str = "") -> None:
        """Choose a way to pay; at the test cashier let it end this way."""
        form = {"csrf_token": self.token(), "method": method}
        answer = self.http.post(f"/orders/{no}/payments", data=form, follow_redirects=False)
        if outcome:
            self.http.post(answer.headers["location"], data={"outcome": outcome}, follow_redirects=False)

    def wait_for(self, path: str, word: str) -> None:
        """Until the page says so: notices and jobs take a moment."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while word not in self.read(path):
            assert time.monotonic() < end, f"{path} never said {word}"
            time.sleep(0.2)


@contextmanager
def people(url: str) -> Iterator[Callable[[str], Person]]:
    """Signs invented people in by their key; all leave at the end."""
    with ExitStack() as stack:

        def called(who: str) -> Person:
            person = Person(stack.enter_context(httpx.Client(base_url=url, follow_redirects=True, timeout=30)))
            person.send(f"/demo-logins/{who}")
            return person

        yield called


def stage(url: str) -> Places:
    """Do it all, and say under which names the results are found."""
    with people(url) as called:
        return _stage(called)


def _stage(called: Callable[[str], Person]) -> Places:
    buyer, seller = called("member"), called("grower")
    household = seller.find(r"/village/(\d+)/orders", "/village")
    goods = [_list_one(seller, household, produce) for produce in ("walnut", "corn", "beans")]
    bought = re.findall(r'href="/listings/(\d+)"', buyer.read(f"/listings?min={_DEAR_ENOUGH}&sort=price"))[:8]
    places = {"household": household, "goods": goods[0], "offer": bought[0]}
    places |= _orders(buyer, bought)
    places |= {
        "line": seller.find(r"/orders/(\d+)/shortage", f"/village/{household}/orders"),
        "other_household": called("household").find(r"/village/(\d+)/orders", "/village"),
    }
    seller.send(f"/village/{household}/costs", kind="feed", amount="120", key=uuid4().hex)
    called("officer").read(f"/desk/households/{household}")
    places |= _sell_out(seller, household, buyer) | {"stopped": goods[2]}
    seller.send(f"/village/goods/{goods[2]}/withdrawal")
    _trouble_a_cart(called("organiser"), seller, household)
    called("clerk").put_in_cart(places["goods"], 3)
    places |= _lots(called("officer"), seller, household, goods[1])
    places |= _papers(called("household"), places["other_household"])
    places |= _cash(called("clerk"), called("accountant"))
    places |= _two_words(seller, household)
    places |= _acted_for(called("agent"), seller, called("officer"), places)
    places |= _accounts(called("accountant"))
    return places | _desk(called("officer"), places) | _registers(called("administrator"))


def _list_one(seller: Person, household: str, produce: str, quantity: int = 20) -> str:
    """Put up an offer in jin; its number."""
    new = f"/village/{household}/goods/new?produce={produce}&counted=jin&quantity={quantity}"
    low = float(seller.find(r'data-low="([\d.]+)"', new))
    high = float(seller.find(r'data-high="([\d.]+)"', new))
    price = f"{(low + high) / 2:.1f}"
    answers = {"produce": produce, "counted": "jin", "quantity": quantity, "price": price, "price_for": "jin"}
    put_up = seller.send(f"/village/{household}/goods", key=uuid4().hex, photo_choice="without", **answers)
    return re.split(r"[/?]", put_up)[3]


def _orders(buyer: Person, listings: list[str]) -> Places:
    """One order in every stage of its life."""
    names = ["open", "waiting", "qr", "failed", "cash", "transfer", "paid", "cancelled"]
    made = {f"order_{name}": buyer.order(listing) for name, listing in zip(names, listings, strict=True)}
    buyer.pay(made["order_waiting"], "alipay")
    buyer.pay(made["order_qr"], "wechat_pay")
    buyer.pay(made["order_failed"], "alipay", "fail")
    buyer.pay(made["order_cash"], "cash")
    buyer.pay(made["order_transfer"], "transfer")
    buyer.pay(made["order_paid"], "alipay", "pay")
    buyer.pay(made["order_cancelled"], "alipay", "pay")
    buyer.wait_for(f"/orders/{made['order_failed']}", "没有付成")
    buyer.wait_for(f"/orders/{made['order_paid']}", "已付款")
    buyer.wait_for(f"/orders/{made['order_cancelled']}", "已付款")
    buyer.send(f"/orders/{made['order_cancelled']}/cancellation")
    buyer.wait_for(f"/orders/{made['order_cancelled']}", "已退回")
    return made


def _sell_out(seller: Person, household: str, buyer: Person) -> Places:
    """The last one ordered twice from two tabs: the second order takes the place of the first, which has expired."""
    last = _list_one(seller, household, "cabbage", 1)
    form = buyer.stand_at_checkout(last)
    expired = buyer.submit(form)
    buyer.submit({**form, "key": uuid4().hex})
    return {"sold_out": last, "order_expired": expired}


def _lots(officer: Person, seller: Person, household: str, halted: str) -> Places:
    """Goods an officer has to decide about: more than the household's land gives, and some that were halted."""
    officer.send(f"/desk/households/{household}/means", **{"land": "3.5", "land.millet": "0.1"})
    over = _list_one(seller, household, "millet", 300)
    officer.send(f"/desk/goods/{halted}/halts", why="照片里的不是这样货")
    return {"over": over, "halted": halted}


def _papers(seller: Person, household: str) -> Places:
    """Mutton that waits for its papers, one of which is there."""
    waiting = _list_one(seller, household, "mutton", 12)
    point = seller.find(r'name="slaughter_point"\s+value="([^"]+)"', f"/village/goods/{waiting}/papers")
    seller.send(f"/village/goods/{waiting}/papers", ask="slaughter_point", slaughter_point=point)
    return {"waiting": waiting}


def _two_words(seller: Person, household: str) -> Places:
    """A number that was changed by somebody who had seen another than was there."""
    goods = _list_one(seller, household, "corn")
    seller.send(f"/village/goods/{goods}/stock", quantity=7, seen=5)
    about = seller.find(rf"/village/goods/{goods}/disagreements/(\d+)", f"/village/{household}/goods")
    return {"other_goods": goods, "disagreement": about}


def _acted_for(agent: Person, seller: Person, officer: Person, places: Places) -> Places:
    """What an agent did: one thing nobody said anything to, one the household said no to, one looked into."""
    here = f"/village/{places['household']}/acts"
    for step in (1, -1, 1, -1):
        agent.send(f"/village/goods/{places['goods']}/stock", step=step)
    acts = re.findall(r"/acts/(\d+)/objection", seller.read(here))
    for act in acts[:2]:
        seller.send(f"{here}/{act}/objection", note="没跟我说过")
    word = officer.find(r"/desk/objections/(\d+)/settlement", "/desk/objections")
    officer.send(f"/desk/objections/{word}/settlement", found="打电话问过了，是代办员点错了一家")
    agent.send("/cards/sheets", household=places["household"], key=uuid4().hex)
    return {"act": acts[2], "door_card": agent.find(r"/cards/(\d+)", "/cards?only=with")}


def _trouble_a_cart(buyer: Person, seller: Person, household: str) -> None:
    """A cart with too few left, another price, sold out, no longer on sale, and one without trouble."""
    short, dearer, gone, stopped, well = (
        _list_one(seller, household, produce) for produce in ("millet", "potato", "oat", "buckwheat", "apple")
    )
    for listing in (short, dearer, gone, stopped, well):
        buyer.put_in_cart(listing, 5)
    price = float(seller.find(r'name="price"\s+value="([\d.]+)"', f"/village/goods/{dearer}/price"))
    seller.send(f"/village/goods/{short}/stock", quantity=2)
    seller.send(f"/village/goods/{dearer}/price", price=f"{price + 0.5:.2f}")
    seller.send(f"/village/goods/{gone}/stock", quantity=0)
    seller.send(f"/village/goods/{stopped}/withdrawal")


def _desk(officer: Person, places: Places) -> Places:
    """Payments and households as an officer finds them."""
    found = {
        f"payment_{name}": officer.find(
            r"/desk/payments/([0-9a-f-]{36})", f"/desk/payments?q={places[f'order_{name}']}"
        )
        for name in ("paid", "cancelled", "cash")
    }
    found |= _rounds(officer)
    return found | {"silent": officer.find(r"/desk/households/(\d+)", "/desk/income?sold=none")}


def _rounds(officer: Person) -> Places:
    """A round to come with orders, and one that was called off."""
    found = {
        name: officer.find(rf'/desk/rounds/(\d+/[\d-]+)"(?:(?!/desk/rounds/)[\s\S])*?{stop}', "/desk/rounds")
        for name, stop in (("round", "区人社局门厅"), ("round_off", "梁家墕村委会"))
    }
    officer.send(f"/desk/rounds/{found['round_off']}/cancellation", why="大雪封路")
    return found


def _cash(clerk: Person, accountant: Person) -> Places:
    """Cash on its way from the clerk to this accountant, cash that was counted long ago, and somebody's book."""
    hand_ins = r"/unit/cash/hand-ins/(\d+)"
    return {
        "hand_in": clerk.find(hand_ins, "/unit/cash/book"),
        "counted": re.findall(hand_ins, accountant.read("/desk/cash/hand-ins"))[-1],
        "keeper": accountant.find(r"/desk/cash/books/(\d+)", "/desk/cash"),
    }


def _accounts(accountant: Person) -> Places:
    """What an accountant finds: differences, notices, statements of the bank and lines that wait for somebody."""
    preview, taken = re.findall(r'href="/desk/statements/(\d+)"', accountant.read("/desk/statements"))[-2:]
    return {
        "statement_preview": preview,
        "statement_taken": taken,
        "row_open": accountant.find(r'href="/desk/bank-rows/(\d+)"', "/desk/bank-rows"),
        "row_done": accountant.find(r'href="/desk/bank-rows/(\d+)"', f"/desk/statements/{taken}?only=over"),
        "row_aside": accountant.find(r'href="/desk/bank-rows/(\d+)"', f"/desk/statements/{taken}?only=outgoing"),
        "remittance": accountant.find(r'href="/desk/remittances/([0-9a-f-]{36})"', "/desk/remittances"),
        "difference": accountant.find(r"/desk/differences/(\d+)", "/desk/reconciliations"),
        "difference_done": accountant.find(r"/desk/differences/(\d+)", "/desk/reconciliations?only=dealt_with"),
        "notice": accountant.find(r"/desk/notices/(evt_\w+)", "/desk/notices?only=done"),
        **_payouts(accountant),
    }


def _payouts(accountant: Person) -> Places:
    """Lists of payouts in each state, a row of one, and a card that waits for a second person."""
    of = {state: accountant.find(r'href="/desk/payouts/(\d+)"', f"/desk/payouts?only={state}") for state in _LISTS}
    row = accountant.find(r'href="/desk/payouts/\d+/rows/(\d+)"', f"/desk/payouts/{of['approved']}")
    card = accountant.find(r'href="/desk/cards/(\d+)"', "/desk/cards")
    return {**{f"payouts_{state}": number for state, number in of.items()}, "payout": row, "payout_card": card}


def _registers(administrator: Person) -> Places:
    """One of each thing the administrator keeps; and two files sent: one that may be taken, one with bad lines."""
    kinds = ("stations", "units", "stops")
    found = {kind[:-1]: administrator.find(rf"/operator/{kind}/(\d+)", f"/operator/{kind}") for kind in kinds}
    good = [["YG-0001", VILLAGE, "梁新户", "3", "一般户"], ["YG-0002", VILLAGE, "梁新枝", "2", "一般户"]]
    bad = [["YG-0001", "999999999999", "梁新户", "三", "一般户"], ["", VILLAGE, "", "2", "没有的类型"]]
    for name, rows in (("import", good), ("import_bad", bad)):
        text = "\n".join(",".join(row) for row in [list(HOUSEHOLD_COLUMNS), *rows])
        found[name] = administrator.upload("/operator/imports", "名册.csv", text).rsplit("/", 1)[1]
    return found
