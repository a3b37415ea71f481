"""Photos of goods: what a phone sends becomes three small WebP files without a trace of place, device or time."""

import hashlib
import logging
from collections.abc import Mapping
from io import BytesIO

import pillow_heif
from anyio import CapacityLimiter, to_thread
from PIL import Image, ImageCms, ImageOps
from starlette.datastructures import UploadFile

from market.ground.errors import Malformed
from storefront.storage import PAPERS, PHOTOS, Storage

SIZES: Mapping[str, int] = {"page": 1080, "card": 480, "thumb": 160}
"""Longest side in pixels."""
MOST_PACKED: Mapping[str, int] = {"page": 160_000, "card": 24_000, "thumb": 6_000}
"""Bytes: what has more in it (a heap of millet, a dark room's grain) is packed harder. Papers stay as they are."""
PAPER_SIZES: Mapping[str, int] = {"page": 1600}
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000
"""The largest phone cameras; a picture that unpacks to more is a bomb."""

log = logging.getLogger("yigou.photos")
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# Phones write a second picture (depth, gain map) into a JPEG (then called MPO) or a HEIF: the first one is the photo.
_MANY_PICTURES = ("MPO", "HEIF")
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N")
"""Sixteen bits of grey, which Pillow would cut off at white."""
_QUALITIES = (76, 60, 45, 30, 15)
_AT_ONCE = CapacityLimiter(2)
"""A large photo unpacks to some 150 MB: no more than two at a time in a process."""

Image.init()
pillow_heif.register_heif_opener()
# Pillow only warns between its own limit and twice of it; ours is checked below, before a pixel is unpacked.
Image.MAX_IMAGE_PIXELS = None


async def keep(upload: UploadFile, storage: Storage) -> str:
    """Keep a photo in three sizes; returns the content hash its files are named after.

    Raises Malformed("photo", …): `too_large` above 12 MB or 50 megapixels, `not_a_photo` for anything else than one
    still JPEG, PNG, WebP or HEIC picture; Unavailable when the store cannot be reached.
    """
    return await _keep(await _read(upload), storage, PHOTOS, SIZES)


async def keep_paper(upload: UploadFile, storage: Storage) -> str:
    """Keep the photo of a certificate, once, large enough to read, where the shop cannot show it. Raises the same."""
    return await _keep(await _read(upload), storage, PAPERS, PAPER_SIZES)


async def paper(content: str, storage: Storage) -> bytes:
    """The photo of a certificate, for whoever has shown that they may see it. NotFound when there is none."""
    return await storage.read(f"{PAPERS}/{content}-page.webp")


async def _read(upload: UploadFile) -> bytes:
    data = await upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Malformed("photo", "too_large", str(upload.size or len(data)))
    return data


async def _keep(data: bytes, storage: Storage, shelf: str, sizes: Mapping[str, int]) -> str:
    files = await to_thread.run_sync(_sized, data, sizes, limiter=_AT_ONCE)
    content = hashlib.blake2b(files["page"], digest_size=16).hexdigest()
    for name, packed in files.items():
        await storage.keep(f"{shelf}/{content}-{name}.webp", packed)
    return content


def _sized(data: bytes, sizes: Mapping[str, int]) -> dict[str, bytes]:
    photo = _opened(data, max(sizes.values()))
    return {
        name: _packed(photo, side, MOST_PACKED[name] if sizes is SIZES else MOST_BYTES) for name, side in sizes.items()
    }


def _opened(data: bytes, most: int) -> Image.Image:
    """The picture upright, in sRGB, its sides no longer than this many pixels."""
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
        _check(image)
        # A JPEG is unpacked at a fraction of its size here, which makes the largest camera photo quick.
        image.thumbnail((most, most), Image.Resampling.LANCZOS)
        return _in_srgb(ImageOps.exif_transpose(image))
    except Malformed:
        raise
    # The decoders of five formats meet hostile bytes: whatever they raise says the same to the person.
    except Exception as error:
        log.info("no photo: %r", error)
        raise Malformed("photo", "not_a_photo", type(error).__name__) from error


def _check(image: Image.Image) -> None:
    """Refuse bombs and films by what the file says of itself, before a pixel is unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise Malformed("photo", "too_large", f"{image.width} x {image.height}")
    if getattr(image, "is_animated", False) and image.format not in _MANY_PICTURES:
        raise Malformed("photo", "not_a_photo", "animated")


def _in_srgb(image: Image.Image) -> Image.Image:
    """The same colours as plain RGB on white, with nothing else attached."""
    profile = image.info.get("icc_profile")
    if image.mode in _DEEP:
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode == "CMYK" and profile:
        image, profile = _from_profile(image, profile), None
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    image = image.convert("RGB")
    if profile:
        image = _from_profile(image, profile)
    image.info.clear()
    return image


def _from_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of a phone's wide screen as every screen shows them; as they are when the profile is odd."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    return changed or image


def _packed(photo: Image.Image, side: int, most: int) -> bytes:
    """At most this many bytes, or as few as it goes."""
    smaller = photo.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = b""
    for quality in _QUALITIES:
        packed = BytesIO()
        smaller.save(packed, "WEBP", quality=quality, method=4)
        data = packed.getvalue()
        if len(data) <= most:
            break
    return data
