"""Reads what the library has sealed, with nothing of the library: every construction of core/SEALING.md."""

import struct
import sys
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as open_box,
    crypto_aead_xchacha20poly1305_ietf_encrypt as seal_box,
)

COUNTING = bytes(range(32))


def text(length):
    return bytes(7 * at % 256 for at in range(length))


# The synthetic nonce, from the two papers: no library offers HChaCha20 or a bare Poly1305.


def rotated(word, by):
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def quarter(s, a, b, c, d):
    for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] = rotated(s[z] ^ s[x], by)


def hchacha20(key, data):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + data))
    for _ in range(10):
        for at in range(4):
            quarter(s, at, at + 4, at + 8, at + 12)
        for at in range(4):
            quarter(s, at, (at + 1) % 4 + 4, (at + 2) % 4 + 8, (at + 3) % 4 + 12)
    return struct.pack("<8I", *s[:4], *s[12:])


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        block = data[at : at + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def synthetic(key, ad, data):
    enc, hashing, nonces = (
        hchacha20(key, b"mtsession " + name.ljust(6, b"\0")) for name in (b"enc", b"hash", b"nonce")
    )
    digest = poly1305(hashing, padded(ad) + padded(data) + struct.pack("<QQ", len(ad), len(data)))
    nonce = hchacha20(nonces, digest)[:24]
    return nonce + seal_box(data, ad, nonce, enc)


# A sealed session file.


def expanded(prk, purpose):
    return HKDFExpand(hashes.SHA256(), 32, b"mtsession/1 " + purpose).derive(prk)


def extracted(salt, secret):
    mac = hmac.HMAC(salt, hashes.SHA256())
    mac.update(secret)
    return mac.finalize()


class Header:
    def __init__(self, data):
        assert data[:6] == b"MTSE\xff\x01", "not sealed"
        self.kind = data[6:7]
        self.store = data[7:23]
        self.generation = struct.unpack_from("<Q", data, 23)[0]
        at = 32 + data[31]
        self.name = data[32:at]
        self.slots, count = [], data[at]
        at += 1
        for _ in range(count):
            start, (kind, length) = at, struct.unpack_from("<BH", data, at)
            parameters = data[at + 3 : at + 3 + length]
            at += 3 + length + 16
            self.slots.append((kind, parameters, data[start:at], data[at : at + 48]))
            at += 48
        self.covered, self.mac = data[:at], data[at : at + 32]
        self.bytes = data[: at + 32]

    def open(self, keys):
        for kind, parameters, slot, wrapped in self.slots:
            kek = keys(kind, parameters)
            key = HKDF(hashes.SHA256(), 32, slot[-16:], b"mtsession/1 slot" + self.store).derive(kek)
            dek = ChaCha20Poly1305(key).decrypt(bytes(12), wrapped, self.kind + slot)
            prk = extracted(self.store, dek)
            mac = hmac.HMAC(expanded(prk, b"header"), hashes.SHA256())
            mac.update(self.covered)
            mac.verify(self.mac)
            yield prk


def opened(key, ad, box):
    return open_box(box[24:], ad, box[:24], key)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def read_file(data, keys):
    header = Header(data)
    results = []
    for prk in header.open(keys):
        at = len(header.bytes)
        length = struct.unpack_from("<I", data, at)[0]
        box = data[at + 4 : at + 4 + length]
        snapshot = opened(expanded(prk, b"body"), b"body" + header.bytes, box)
        end = at + 4 + length + 4
        at, changes = -(-end // 4096) * 4096 + 32, []
        while at < len(data):
            length, at = varint(data, at)
            record = data[at : at + length]
            changes.append(opened(expanded(prk, b"tail"), b"tail" + box[-16:], record))
            at, box = at + length + 4, record
        results.append((snapshot, changes))
    assert len(results) == len(header.slots)
    assert all(result == results[0] for result in results)
    return header, *results[0]


def passphrase_key(parameters, passphrase):
    salt, (m, t, p) = parameters[:16], struct.unpack("<III", parameters[16:])
    return hash_secret_raw(passphrase, salt, t, m, p, 32, Type.ID)


def check_vectors(folder):
    vector = synthetic(COUNTING, b"flash\x00\x03", text(300))
    assert vector.hex() == (folder / "synthetic.hex").read_text().strip()
    box = seal_box(text(20), b"body", b"\x24" * 24, COUNTING)
    assert box.hex() == (folder / "box.hex").read_text().strip()
    print("passed: boxes with random and with synthetic nonces")


def check_file(folder):
    def keys(kind, parameters):
        if kind == 1:
            return COUNTING
        assert kind == 2, kind
        return passphrase_key(parameters, b"correct horse")

    sealed = (folder / "sealed.session").read_bytes()
    header, snapshot, changes = read_file(sealed, keys)
    assert header.name == b"alice" and header.generation == 1
    assert snapshot == (folder / "plain.session").read_bytes()[: len(snapshot)]
    assert len(changes) == 3
    print("passed: a sealed file by its key file and by its passphrase, with its tail")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    check_vectors(place)
    check_file(place)
