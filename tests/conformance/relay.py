"""The broker's own host names, answered by the simulator.

Many clients have no setting for the address. They do follow what every program follows: HTTPS_PROXY and the trusted
certificates of the environment. The relay is such a proxy. It lets a client call the broker's hosts by their names and
hands the connection to the simulator, so that nothing of the client is changed. It listens on loopback and knows no other
target: a connection to anywhere else is refused and remembered.
"""

import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

REAL_HOST = "openapi.koreainvestment.com"
PAPER_HOST = "openapivts.koreainvestment.com"
WS_HOST = "ops.koreainvestment.com"
MASTER_HOST = "new.real.download.dws.co.kr"  # the public lists of stocks
LOOPBACK = "127.0.0.1"
CHUNK = 65_536
HEAD_LIMIT = 16_384
CONNECT_SECONDS = 10
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Route:
    """Where the connections to one host and port of the broker end, and whether they are encrypted before."""

    address: tuple[str, int]
    tls: bool


def routes_to(ready: dict[str, dict[str, str]], *, by_name: bool) -> dict[tuple[str, int], Route]:
    """Return the routes to a simulator by the JSON line it printed when it was ready.

    A client that is told the addresses (`by_name=False`) must not fall back on the broker's names: it gets only the
    public lists of stocks, which have no key and no setting.
    """
    real, paper = ready["real"], ready["paper"]
    public = {(MASTER_HOST, 443): Route(_address(real["url"]), tls=True)}
    named = {
        (REAL_HOST, 9443): Route(_address(real["url"]), tls=True),
        (PAPER_HOST, 29443): Route(_address(paper["url"]), tls=True),
        (WS_HOST, 21000): Route(_address(real["ws"]), tls=False),
        (WS_HOST, 31000): Route(_address(paper["ws"]), tls=False),
    }
    return public | named if by_name else public


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or LOOPBACK, parts.port or 0


@dataclass(slots=True)
class Relay:
    """A CONNECT proxy in a thread of its own; `folder` takes the certificates made for it."""

    routes: dict[tuple[str, int], Route]
    folder: Path
    refused: list[str] = field(default_factory=list)  # host:port of connections to anywhere else
    _listener: socket.socket = field(init=False)
    _context: ssl.SSLContext = field(init=False)

    def __enter__(self) -> Self:
        certificate = make_certificates(self.folder)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((LOOPBACK, 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that send a client through the relay and make it trust the relay's certificates."""
        proxy = "http://{}:{}".format(*self._listener.getsockname())
        authority = str(self.folder / "authority.pem")
        names = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": f"{LOOPBACK},localhost"}
        trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return {
            **names,
            **{name.upper(): value for name, value in names.items()},
            **dict.fromkeys(trust, authority),
        }

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client:
            target = _asked_for(client)
            route = self.routes.get(target)
            if route is None:
                self.refused.append(f"{target[0]}:{target[1]}")
                client.sendall(FORBIDDEN)
                return
            client.sendall(ESTABLISHED)
            plain = self._context.wrap_socket(client, server_side=True) if route.tls else client
            with plain, socket.create_connection(route.address, timeout=CONNECT_SECONDS) as server:
                server.settimeout(None)
                back = threading.Thread(target=_pump, args=(server, plain), daemon=True)
                back.start()
                _pump(plain, server)
                back.join()


def _asked_for(client: socket.socket) -> tuple[str, int]:
    """Read the head of a CONNECT request. Raises ValueError for anything else."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(1)  # what follows the head belongs to the tunnel
        if not part or len(head) > HEAD_LIMIT:
            raise ValueError("no request")
        head += part
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    host, _, port = target.rpartition(":")
    return (host.lower(), int(port)) if method == "CONNECT" else (urlsplit(target).hostname or target, 80)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR if not isinstance(sink, ssl.SSLSocket) else socket.SHUT_RDWR)


# --- certificates ---------------------------------------------------------------------------------------------------


def make_certificates(folder: Path) -> Path:
    """Write `authority.pem`, to be trusted, and return a file with a certificate of the broker's hosts and its key."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign("AEGIS conformance", authority_key, authority_key, issuer=None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(REAL_HOST, key, authority_key, issuer=authority)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "broker.pem"
    path.touch(mode=0o600)
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(_usage(is_authority=is_authority), critical=True)
    )
    if not is_authority:
        names: list[x509.GeneralName] = [
            x509.DNSName(host) for host in (REAL_HOST, PAPER_HOST, WS_HOST, MASTER_HOST)
        ]
        names.append(x509.IPAddress(ipaddress.ip_address(LOOPBACK)))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
