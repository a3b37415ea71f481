"""Short messages to phones: one function, whatever provider a county has."""

import logging

import httpx

from market.ground.errors import Unavailable
from market.ground.settings import Settings
from market.people.accounts import mask_phone

log = logging.getLogger("yigou.sms")
_TIMEOUT_SECONDS = 5


async def send_sms(settings: Settings, phone: str, text: str) -> None:
    """Send a message. Without YIGOU_SMS_URL it is written to the log, for whoever runs the market to pass on."""
    if settings.sms_url is None:
        log.info("sms to %s: %s", mask_phone(phone), text)
        return
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.post(settings.sms_url, json={"phone": phone, "text": text})
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable("sms") from error
