"""Time: instants are UTC (`_at`), days are those of Asia/Shanghai (`_on`)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """This instant in UTC. Acts take it as an argument, so that time is never hidden inside a rule."""
    return datetime.now(UTC)


def day_of(at: datetime) -> date:
    """The day of an instant, as the village's calendar shows it."""
    return at.astimezone(SHANGHAI).date()


def start_of(on: date) -> datetime:
    """The first instant of a day in the village, in UTC."""
    return datetime.combine(on, time.min, SHANGHAI).astimezone(UTC)


def month_start(on: date) -> date:
    """The first day of the day's month."""
    return on.replace(day=1)


def month_end(on: date) -> date:
    """The last day of the day's month."""
    return (on.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def parse_month(text: str) -> date:
    """First day of a month written `YYYY-MM`. Raises ValueError on anything else."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=SHANGHAI).date()
