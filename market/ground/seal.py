"""Seals what nobody may read in the database: card numbers and their holders, and whose they are with them."""

import base64
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from market.ground.errors import SealedShut
from market.ground.settings import Settings

_KEY_BYTES = 32
_USE = b"yigou seal"


class Seal:
    """Seals with the first of its secrets, opens with any of them: so a secret can be changed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Derive one key from each long random text."""
        self._keys = MultiFernet([Fernet(_key_from(secret)) for secret in secrets])

    def close(self, text: str, *, about: str) -> str:
        """The text sealed. It opens only about the same thing: moved to another's row it stays shut."""
        return self._keys.encrypt(f"{about}\n{text}".encode()).decode()

    def open(self, sealed: str, *, about: str) -> str:
        """What was sealed about this. SealedShut when no secret fits, or when it was sealed about something else."""
        try:
            said, _, text = self._keys.decrypt(sealed.encode()).decode().partition("\n")
        except InvalidToken:
            raise SealedShut(about) from None
        if not hmac.compare_digest(said.encode(), about.encode()):
            raise SealedShut(about)
        return text

    def renew(self, sealed: str, *, about: str) -> str:
        """The same under the first secret, so that the older ones can be thrown away."""
        return self.close(self.open(sealed, about=about), about=about)


def open_seal(settings: Settings) -> Seal:
    """The seal of these settings: YIGOU_SEAL_KEYS, or what is derived from YIGOU_SECRET_KEY."""
    return Seal(settings.seal_secrets)


def _key_from(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_USE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
