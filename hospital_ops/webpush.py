"""What the Web Push protocol asks of a sender: an encrypted body and a signed header. Pure.

Body: RFC 8291 (aes128gcm of RFC 8188 under keys of both sides), header: RFC 8292 (VAPID). What is
sent says a bed and a unit, and a push service can read neither.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD: Final = 4096  # a push service takes no longer body
PAYLOAD_MOST: Final = 2048  # characters of ours are far fewer
JWT_LIFE_S: Final = 12 * 3600  # RFC 8292: at most a day
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_POINT: Final = 65  # an uncompressed public key
_AUTH: Final = 16


class BadSubscription(ValueError):
    """What a browser has given is no key of the protocol."""


def private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """The signing key of an installation, from a secret that it has already."""
    number = int.from_bytes(hashlib.sha512(seed).digest()) % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as a browser wants it (`applicationServerKey`)."""
    return encoded(_public(key.public_key()))


def checked(p256dh: str, auth: str) -> None:
    """Raises BadSubscription where a browser's keys are none."""
    _key_of(p256dh)
    if len(decoded(auth)) != _AUTH:
        raise BadSubscription("`auth` is 16 bytes in base64url")


def encrypted(
    payload: bytes, p256dh: str, auth: str, sender: ec.EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """The body for one browser; `sender` and `salt` are new for every message."""
    if len(payload) > PAYLOAD_MOST:
        raise ValueError("a call is a few words")
    receiver, own = _key_of(p256dh), _public(sender.public_key())
    shared = sender.exchange(ec.ECDH(), receiver)
    info = b"WebPush: info\x00" + _public(receiver) + own
    secret = _expand(hmac.digest(decoded(auth), shared, "sha256"), info, 32)
    base = hmac.digest(salt, secret, "sha256")
    key = _expand(base, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _expand(base, b"Content-Encoding: nonce\x00", 12)
    head = salt + RECORD.to_bytes(4) + len(own).to_bytes(1) + own
    return head + AESGCM(key).encrypt(nonce, payload + b"\x02", None)  # 2: the last record


def sealed(payload: bytes, p256dh: str, auth: str) -> bytes:
    """The same with a key and a salt of this moment."""
    return encrypted(payload, p256dh, auth, ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


def authorization(endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str, now_s: int) -> str:
    """The header that says who sends, signed for the push service of `endpoint`."""
    parts = urlsplit(endpoint)
    head = _json({"typ": "JWT", "alg": "ES256"})
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now_s + JWT_LIFE_S, "sub": contact}
    signed = f"{head}.{_json(claims)}"
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encoded(r.to_bytes(32) + s.to_bytes(32))
    return f"vapid t={signed}.{signature}, k={public_text(key)}"


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url, padded or not. Raises BadSubscription."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadSubscription("keys are base64url") from error


def _key_of(p256dh: str) -> ec.EllipticCurvePublicKey:
    raw = decoded(p256dh)
    try:
        if len(raw) != _POINT:
            raise ValueError
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError as error:
        raise BadSubscription("`p256dh` is a point of P-256, uncompressed") from error


def _public(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869) of at most one block."""
    return hmac.digest(key, info + b"\x01", "sha256")[:length]


def _json(value: object) -> str:
    return encoded(json.dumps(value, separators=(",", ":")).encode())
