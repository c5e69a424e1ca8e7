"""A private authority and a certificate of it for localhost, made by the openssl command."""

import ssl
import subprocess
from pathlib import Path


def make_authority(folder: Path) -> Path:
    """ca.pem, and cert.pem with key.pem that it signed, in ``folder``; returns ca.pem."""
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    key = ("-newkey", "rsa:2048", "-nodes")
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
             "-subj", "/CN=private", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    _openssl(folder, "req", *key, "-keyout", "key.pem", "-out", "r", "-subj", "/CN=localhost")
    _openssl(folder, "x509", "-req", "-in", "r", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
             "-CAcreateserial", "-out", "cert.pem", "-extfile", "ext")  # fmt: skip
    return folder / "ca.pem"


def server_tls(folder: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    """What a server with that certificate speaks: this version and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.minimum_version = context.maximum_version = version
    return context


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
