"""A machine that lives any story: buyers, sellers, clerks, accountants, a provider, a bank and a clock, each at will.

What the market refuses is part of the story. What it must never do is stop adding up: every invariant is proven after
every step, and at the end, when all notices have come and all jobs have run, nothing may be left hanging.
"""

from tests.stories.banking import Banking
from tests.stories.money_back import MoneyBack
from tests.stories.paying_out import PayingOut


class Story(MoneyBack, PayingOut, Banking):
    """All of it together."""
