"""QR codes of the cashier's addresses."""

import base64
import io

import segno

from payments.simulator.faults import Json

MASK = 2
"""Every mask reads well at this size; trying all eight would double the time of an intent."""


def picture(page: str, kind: str) -> bytes:
    """The QR code of an address as png or svg."""
    out = io.BytesIO()
    segno.make(page, micro=False, error="m", mask=MASK).save(out, kind=kind, scale=6, border=4)
    return out.getvalue()


def qr_code(page: str) -> Json:
    """What a WeChat payer is shown: the code as text, as picture and as pages."""
    return {
        "data": page,
        "hosted_instructions_url": f"{page}/qr",
        "image_data_url": f"data:image/png;base64,{base64.b64encode(picture(page, 'png')).decode()}",
        "image_url_png": f"{page}/qr.png",
        "image_url_svg": f"{page}/qr.svg",
    }
