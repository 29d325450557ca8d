"""Who may take part in a sweep: keys, and the TLS settings made of them.

A key is one PEM text: a private key and the certificate that it signs itself.  All
processes that hold it trust each other; any other fails the TLS handshake.
"""

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
from distributed import Security

from sweep.errors import SpecError, SweepError

_DAYS = 3650
_OTHERS, _GROUP = 0o007, 0o070


def new_key() -> str:
    """Return a new key."""
    # Imported here: half of the commands make no key.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tinysweep")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def default_key_file() -> Path:
    """Return where the key of a user's cluster lies unless another file is named."""
    return Path(platformdirs.user_config_dir("tinysweep")) / "cluster.key"


def write_key(file: Path) -> None:
    """Write a new key to a file that only its owner may read.

    Raises:
        SweepError: if the file is there, or cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(new_key())
    except FileExistsError as error:
        raise SweepError(f"{file}: is there; remove it to make another key") from error
    except OSError as error:
        raise SweepError(f"{file}: cannot be written: {error.strerror}") from error


def read_key(file: Path) -> Security:
    """Return the TLS settings made of a key.

    As in ssh, the group may read a key that another user owns: Kubernetes mounts secrets like that.

    Raises:
        SweepError: if the file is no key, or others may read it.
    """
    try:
        about = file.stat()
        refused = _OTHERS | _GROUP if about.st_uid == os.geteuid() else _OTHERS
        if about.st_mode & refused:
            raise SweepError(f"{file}: others may read this key; chmod 600 {file}")
        return security_of(file.read_text(encoding="ascii"))
    except OSError as error:
        raise SweepError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SweepError(f"{file}: is no key; sweep cluster key makes one") from error


def security_of(key: str) -> Security:
    """Return the TLS settings by which those who hold a key trust each other, and nobody else.

    Raises:
        ValueError: if it is no key.
    """
    begin = key.find("-----BEGIN CERTIFICATE-----")
    if begin <= 0:
        raise ValueError("no key")
    certificate = key[begin:]
    roles = {
        f"tls_{role}_{part}": text
        for role in ("client", "scheduler", "worker")
        for part, text in (("cert", certificate), ("key", key[:begin]))
    }
    made = Security(require_encryption=True, tls_ca_file=certificate, **roles)
    try:
        made.get_listen_args("scheduler")
    except ssl.SSLError as error:
        raise ValueError("no key") from error
    return made


def own_or_made() -> Security:
    """Return the TLS settings of Dask's own configuration, else such that no other process has.

    They stay in memory: nothing of them is written to a file.
    """
    own = Security()
    return own if _is_set(own) else security_of(new_key())


def secured(address: str, key: Path | None) -> tuple[str, Security]:
    """Return the address of a scheduler as Dask wants it, and the TLS settings to reach it by.

    They come from the key, else from Dask's own configuration, else, for ``tls://``, from the key
    in the user's ``default_key_file``.

    Raises:
        SpecError: if there are none and the scheduler asks for some, or is on another machine.
        SweepError: if the key cannot be used.
    """
    scheme, _, place = address.rpartition("://")
    security = read_key(key) if key is not None else Security()
    if not _is_set(security) and scheme == "tls" and default_key_file().exists():
        security = read_key(default_key_file())
    if _is_set(security):
        return f"tls://{place}", security
    if scheme == "tls" or not on_this_machine(place):
        raise SpecError(
            f"{address}: name the key of this cluster with --key (sweep cluster key makes one)"
        )
    return address, security


def _is_set(security: Security) -> bool:
    return bool(security.require_encryption or security.tls_ca_file)


def on_this_machine(place: str) -> bool:
    """Tell whether ``host:port`` can be reached from this machine only."""
    host = place.rpartition(":")[0].strip("[]") or place
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
