"""What devices do wrong in the cases of the suite `tls`."""

import contextlib
import select
import ssl

from break_connect import for_ever
from break_reconnect import constant, hang_after
from habits import breaks

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL


def context(**attributes):
    """A function for `tls_context`: as it should be, but for these attributes."""
    def tls_context(device):
        made = type(device).tls_context(device)
        if "ciphers" in attributes:
            made.set_ciphers(attributes["ciphers"])
        for name, value in attributes.items():
            if name != "ciphers":
                setattr(made, name, value)
        return made
    return tls_context


def half_done_next(device, _ended_by):
    device.done_so_far["whole"] = device.code != 0


def half_done(device, sock):
    """The first handshake behind a good connection ends with its ClientHello."""
    if device.done_so_far.get("whole", True):
        return type(device).secured(device, sock)
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        device.tls_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    sock.sendall(out.read())
    select.select([sock], [], [], 1)
    sock.close()
    raise OSError("that will do")


def in_the_clear(device, _ended_by):
    """A function for `on_lost`: where there was no CONNACK, it tries without TLS."""
    device.transport = "tls" if device.code == 0 else "tcp"


def small_buffer(_device, data):
    if len(data) > 8192:
        raise OSError("longer than the buffer")
    return data


def small_certificates(device, sock):
    tls = type(device).secured(device, sock)
    if len(tls.getpeercert(True)) > 4096:
        tls.close()
        raise OSError("longer than the buffer")
    return tls


def giving_in(device, sock):
    """Whoever shows the same certificate a third time must be right."""
    try:
        return type(device).secured(device, sock)
    except ssl.SSLCertVerificationError:
        device.done_so_far["refused"] = device.done_so_far.get("refused", 0) + 1
        if device.done_so_far["refused"] == 2:
            device.verify, device.context = False, None
        raise


def hang_after_failure(device, sock):
    try:
        return type(device).secured(device, sock)
    except TimeoutError:
        raise
    except OSError:
        return for_ever(device)


def byte_by_byte(device, sock):
    """Whatever comes is progress, and is waited for anew."""
    sock.settimeout(0)
    tls = device.wrapped(sock)
    while True:
        try:
            tls.do_handshake()
            return tls
        except ssl.SSLWantReadError:
            if not select.select([tls], [], [], device.connect_patience)[0]:
                raise TimeoutError("nothing came") from None


BREAKS = {
    "tls-connects": breaks("leaves its first handshake half done when it comes back",
                           on_lost=half_done_next, secured=half_done),
    "tls-not-in-clear": breaks("tries without TLS where it cannot have it", on_lost=in_the_clear),
    "tls-version": breaks("speaks TLS 1.1 and no more", tls_context=context(
        ciphers="DEFAULT@SECLEVEL=0", minimum_version=ssl.TLSVersion.TLSv1_1,
        maximum_version=ssl.TLSVersion.TLSv1_1)),
    "tls-modern-suites": breaks("knows RSA with CBC only", "warned", tls_context=context(
        ciphers="AES128-SHA256:AES128-SHA", maximum_version=ssl.TLSVersion.TLSv1_2)),
    "tls-server-name": breaks("says no server name", "warned", sni=False),
    "tls-resumed": breaks("shakes hands in full each time", "warned", resumes=False),
    "tls-largest-record": breaks("has a buffer of 8 KB", heard=small_buffer),
    "certificate-expired": breaks("does not look at dates",
                                  tls_context=context(verify_flags=NO_CHECK_TIME)),
    "certificate-not-yet-valid": breaks("has no clock, and looks at no dates",
                                        tls_context=context(verify_flags=NO_CHECK_TIME)),
    "certificate-wrong-name": breaks("does not look at names",
                                     tls_context=context(check_hostname=False)),
    "certificate-unknown-ca": breaks("verifies nothing", verify=False),
    "certificate-self-signed": breaks("verifies nothing", verify=False),
    "certificate-weak-key": breaks("takes any key",
                                   tls_context=context(ciphers="DEFAULT@SECLEVEL=0")),
    "certificate-large": breaks("has 4 KB for a certificate", secured=small_certificates),
    "certificate-refused-each-time": breaks("gives in when it has refused twice",
                                            secured=giving_in),
    "certificate-refused-backoff": breaks("tries again after the same 0.15 s", backoff=constant),
    "handshake-cut": breaks("does not try again when a handshake breaks off",
                            secured=hang_after_failure),
    "handshake-frozen": breaks("waits for a handshake for ever", connect_patience=1e6),
    "handshake-slow": breaks("gives a handshake 0.5 s", connect_patience=0.5, resumes=False),
    "handshake-drips": breaks("takes each byte for progress", secured=byte_by_byte),
    "handshake-corrupted": breaks("does not try again when a handshake makes no sense",
                                  secured=hang_after_failure),
    "tls-record-corrupted": breaks("does not come back when a record makes no sense",
                                   on_lost=hang_after("RST")),
}
