"""Faults where no packet is yet: peers that are accepted, and handshakes of TLS. Every action, and
that the device sees exactly that."""

import os
import resource
import select
import socket
import ssl
import subprocess
import time

import breaking
import credentials
import pytest
import server

DEVICE = "aliyun/pk/device"
KINDS = {  # OpenSSL's verify error (x509_vfy.h), and the alert that it sends for it (RFC 5246 §7.2)
    "expired": (10, 45),
    "not-yet-valid": (9, 42),
    "wrong-name": (62, 42),
    "unknown-ca": (20, 48),
    "self-signed": (18, 48),
    "weak-key": (66, 42),
    "large": (0, None),
}


def log_in(peer):
    peer.send_packet(type="connect", **credentials.login(DEVICE))


def is_silent(api, sock):
    """Nothing has come, and nobody has hung up."""
    api.barrier()
    return not select.select([sock], [], [], 0)[0]


def is_reset(sock):
    try:
        sock.settimeout(server.PATIENCE_S)
        return sock.recv(1) is None
    except ConnectionResetError:
        return True


def is_turned_away(connect):
    """Reset when it has hardly been accepted: the client may notice as soon as it connects."""
    try:
        return is_reset(connect())
    except ConnectionResetError:
        return True


@pytest.fixture
def hello(skymock, ca):
    """hello(...) opens a TLS client up to its ClientHello."""
    opened = []

    def open_one(listener="mqtts", trusting=True, **how):
        context = ssl.create_default_context(cafile=str(ca) if trusting else None)
        opened.append(breaking.Hello(skymock.ports[listener], context=context, **how))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


# ---- accept ----

@pytest.mark.parametrize("action", ["withhold", "freeze"])
def test_accepted_and_never_served(api, peer, action):
    number = breaking.make(api, "accept", action, count=1)
    device = peer()
    log_in(device)
    api.wait_event({"type": "fault", "point": "accept", "action": action})
    api.wait_event({"type": "close"})
    assert is_silent(api, device.socket)
    other = peer()
    log_in(other)
    assert other.receive()["code"] == 0
    assert is_silent(api, device.socket)
    breaking.end(api, number)  # and what it held is let go of
    assert is_reset(device.socket)
    breaking.nobody_is_accused(api)


def test_accepted_late(api, peer):
    api.freeze()
    breaking.make(api, "accept", "delay", ms=5000, count=1)
    device = peer()
    log_in(device)
    api.wait_event({"type": "fault", "point": "accept", "action": "delay"})
    api.advance(4999)
    assert is_silent(api, device.socket)
    api.advance(1)
    assert device.receive()["code"] == 0
    breaking.nobody_is_accused(api)


def test_accepted_and_closed(api, peer):
    breaking.make(api, "accept", "close", count=1)
    device = peer()
    log_in(device)
    assert device.socket.recv(1) == b""
    breaking.nobody_is_accused(api)


def test_accepted_and_reset(api, peer):
    breaking.make(api, "accept", "reset", count=1)
    assert is_turned_away(lambda: peer().socket)
    breaking.nobody_is_accused(api)


def test_all_that_is_said_to_it_drips(api, peer):
    breaking.make(api, "accept", "drip", bytesPerS=20, count=1)
    device = peer()
    began = time.monotonic()
    log_in(device)
    assert device.receive()["code"] == 0  # of four bytes
    assert time.monotonic() - began >= 3 / 20
    breaking.nobody_is_accused(api)


def test_the_api_is_served_whatever_is_broken(skymock, api):
    breaking.make(api, "accept", "reset")
    again = server.Api(skymock.ports["admin"])
    again.barrier()
    again.close()


def test_who_hangs_and_leaves_is_not_kept(skymock, api, peer):
    def descriptors():
        api.barrier()
        return len(os.listdir(f"/proc/{skymock.process.pid}/fd"))

    before = descriptors()
    breaking.make(api, "accept", "freeze", count=20)
    devices = [peer() for _ in range(20)]
    for device in devices:
        log_in(device)
    while api.get("/api/v1/faults")["faults"][0]["fired"] < 20:
        pass
    assert descriptors() >= before + 20
    for device in devices:
        device.close()
    deadline = time.monotonic() + server.PATIENCE_S
    while descriptors() > before and time.monotonic() < deadline:
        pass
    assert descriptors() <= before


def test_only_so_many_hang(start):
    most = 1024  # SKY_BEND_FROZEN_MAX
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < most + 500:
        pytest.skip("too few file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most + 300), hard))
    skymock = start()
    breaking.make(skymock.api, "accept", "freeze")
    devices = [socket.create_connection(("127.0.0.1", skymock.ports["mqtt"]))
               for _ in range(most + 1)]
    watch = select.poll()  # of more than select() can
    for device in devices:
        watch.register(device, select.POLLIN)
    watch.poll(server.PATIENCE_S * 1000)
    skymock.api.barrier()
    assert len(watch.poll(0)) == 1  # has been let go of
    for device in devices:
        device.close()


# ---- whom ----

def test_chosen_by_listener(api, peer):
    breaking.make(api, "accept", "reset", match={"listener": "mqtts"})
    device = peer("mqtt")
    log_in(device)
    assert device.receive()["code"] == 0
    assert is_turned_away(lambda: peer("mqtts").socket)


def test_chosen_by_address(skymock, api):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    address = probe.getsockname()
    probe.close()
    breaking.make(api, "accept", "reset", match={"peer": f"{address[0]}:{address[1]}"})
    there = ("127.0.0.1", skymock.ports["mqtt"])
    with socket.create_connection(there) as other:
        assert is_silent(api, other)
    assert is_turned_away(lambda: socket.create_connection(there, source_address=address))


def test_chosen_by_server_name(api, hello):
    breaking.make(api, "handshake", "reset", match={"serverName": {"matches": "^127"}})
    hello(name="localhost").finish()
    assert is_reset(hello(name="127.0.0.1.example").socket)


def psk(skymock, name, data=b""):
    """OpenSSL's client with the pre-shared key of a device."""
    identity, key = psk_of(name)
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{skymock.ports['mqtts']}", "-tls1_2",
         "-psk_identity", identity, "-psk", key, "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0"],
        input=data, capture_output=True, timeout=server.PATIENCE_S, check=False)


def psk_of(name):
    import base64
    _, product, device = name.split("/")
    return product + device, base64.b64decode(credentials.SECRETS[name][0]).hex()


FIRST, SECOND = [name for name in credentials.SECRETS if name.startswith("tencent/")][:2]


@pytest.mark.parametrize("whom", ["identity", "device"])
def test_chosen_by_who_brings_the_key(skymock, api, whom):
    chosen = {"device": FIRST} if whom == "device" else \
        {"match": {"identity": psk_of(FIRST)[0], "type": "psk-handshake"}}
    breaking.make(api, "handshake", "reset", **chosen)
    assert b"Cipher is PSK" in psk(skymock, SECOND).stdout
    done = psk(skymock, FIRST)
    assert b"reset by peer" in done.stderr or done.returncode != 0
    event = api.wait_event({"type": "fault", "point": "handshake", "action": "reset"})
    assert event["device"] == FIRST
    breaking.nobody_is_accused(api)


# ---- handshake ----

@pytest.mark.parametrize("action", ["withhold", "freeze"])
def test_a_handshake_that_is_never_answered(api, hello, action):
    number = breaking.make(api, "handshake", action, count=1)
    device = hello()
    api.wait_event({"type": "fault", "point": "handshake", "action": action})
    hello().finish()
    assert is_silent(api, device.socket)
    breaking.end(api, number)
    assert is_reset(device.socket)
    breaking.nobody_is_accused(api)


def test_a_handshake_that_is_answered_late(api, hello):
    api.freeze()
    breaking.make(api, "handshake", "delay", ms=5000, count=1)
    device = hello()
    api.wait_event({"type": "fault", "point": "handshake", "action": "delay"})
    api.advance(4999)
    assert is_silent(api, device.socket)
    api.advance(1)
    device.finish()
    breaking.nobody_is_accused(api)


def test_a_late_handshake_with_a_key(skymock, api):
    api.freeze()
    breaking.make(api, "handshake", "delay", ms=5000, device=FIRST, count=1)
    identity, key = psk_of(FIRST)
    with subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{skymock.ports['mqtts']}", "-tls1_2",
             "-psk_identity", identity, "-psk", key, "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as device:
        api.wait_event({"type": "fault", "point": "handshake", "action": "delay"})
        assert not api.events(type="psk-handshake")
        api.advance(5000)
        api.wait_event({"type": "psk-handshake", "device": FIRST})
        device.stdin.close()
        assert b"Cipher is PSK" in device.stdout.read()
    breaking.nobody_is_accused(api)


def test_a_handshake_that_is_closed(api, hello):
    breaking.make(api, "handshake", "close", count=1)
    assert hello().socket.recv(1) == b""
    breaking.nobody_is_accused(api)


def test_a_handshake_that_is_reset(api, hello):
    breaking.make(api, "handshake", "reset", count=1)
    assert is_reset(hello().socket)
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("at", [0, 1, 5, 100, 1000])
def test_a_handshake_that_is_cut(api, hello, at):
    breaking.make(api, "handshake", "cut", at=at, count=1)
    assert len(breaking.comes(hello().socket, at + 1)) == at
    hello().finish()
    breaking.nobody_is_accused(api)


def test_a_handshake_that_is_damaged(api, hello):
    breaking.make(api, "handshake", "corrupt", at=1, bytes=1, count=1)
    first = breaking.comes(hello().socket, 5)
    assert first[0] == 0x16 and first[1] != 3 and first[2] == 3  # the version's first byte
    breaking.make(api, "handshake", "corrupt", at=0, bytes=3, count=1)
    other = breaking.comes(hello().socket, 3)
    assert all(byte != due for byte, due in zip(other, b"\x16\x03\x03"))
    breaking.nobody_is_accused(api)


def test_a_damaged_handshake_is_refused_and_nobody_is_judged(api, hello):
    breaking.make(api, "handshake", "corrupt", bytes=8, at=200, count=1)
    device = hello()
    with pytest.raises(ssl.SSLError):
        device.finish()
    device.close()
    api.wait_event({"type": "tls-handshake"})
    breaking.nobody_is_accused(api)


def test_a_handshake_that_drips(api, hello):
    breaking.make(api, "handshake", "drip", bytesPerS=10_000, count=1)
    began = time.monotonic()
    hello().finish()  # of more than 1000 bytes
    assert time.monotonic() - began >= 0.1
    breaking.nobody_is_accused(api)


# ---- certificates ----

def s_client(skymock, ca, *options, listener="mqtts"):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{skymock.ports[listener]}", "-tls1_2",
         "-CAfile", str(ca), "-verify_return_error", "-verify_hostname", "localhost", *options],
        input="", capture_output=True, text=True, timeout=server.PATIENCE_S, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("listener", ["mqtt", "mqtts", "https"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_certificate_is_wrong_in_its_own_way(skymock, api, ca, kind, listener):
    code, _ = KINDS[kind]
    breaking.make(api, "handshake", "certificate", kind=kind)
    text = s_client(skymock, ca, "-cipher", "AES256-SHA256", listener=listener)  # as C SDKs offer
    event = api.wait_event({"type": "tls-handshake"})
    assert event["detail"] == f"the certificate shown is a fault: {kind}"
    assert event["cipher"] == "TLS-RSA-WITH-AES-256-CBC-SHA256"
    assert f"verify error:num={code}:" in text if code else "Verify return code: 0 (ok)" in text
    assert ("reason" in event) == (code != 0)
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("kind", KINDS)
def test_so_it_is_with_an_elliptic_curve(api, hello, kind):
    code, alert = KINDS[kind]
    breaking.make(api, "handshake", "certificate", kind=kind)
    device = hello()
    if code:
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            device.finish()
        assert refused.value.verify_code == code
    else:
        device.finish()
        assert 14_000 < len(device.tls.getpeercert(True)) < 16_000
    event = api.wait_event({"type": "tls-handshake"})
    assert ("-RSA-" if kind == "weak-key" else "-ECDSA-") in event["cipher"]
    assert f"alert {alert} " in event["reason"] if code else "reason" not in event
    assert (event.get("state"), event.get("code")) == (("alert", alert) if code else (None, None))
    breaking.nobody_is_accused(api)


def test_a_weak_key_is_weak_in_both_ways(skymock, api, ca):
    breaking.make(api, "handshake", "certificate", kind="weak-key")
    text = s_client(skymock, ca, "-cipher", "AES256-SHA256:@SECLEVEL=0")
    pem = text[text.index("-----BEGIN"):text.index("-----END")] + "-----END CERTIFICATE-----\n"
    shown = subprocess.run(["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True,
                           text=True, check=True).stdout
    assert "Public-Key: (1024 bit)" in shown and "sha1WithRSAEncryption" in shown


def test_who_takes_a_bad_certificate_is_seen_to(skymock, api):
    breaking.make(api, "handshake", "certificate", kind="expired")
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", skymock.ports["mqtts"])) as raw:
        context.wrap_socket(raw, server_hostname="localhost").close()
    event = api.wait_event({"type": "tls-handshake",
                            "detail": "the certificate shown is a fault: expired"})
    assert "reason" not in event  # it completed


def test_a_ticket_is_no_way_around_it(skymock, api, ca):
    context = ssl.create_default_context(cafile=str(ca))
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def connect(session=None):
        raw = socket.create_connection(("127.0.0.1", skymock.ports["mqtts"]))
        return context.wrap_socket(raw, server_hostname="localhost", session=session)

    with connect() as first:
        session = first.session
    with connect(session) as second:
        assert second.session_reused
    breaking.make(api, "handshake", "certificate", kind="expired", count=1)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        connect(session)
    assert refused.value.verify_code == 10
    with connect(session) as third:
        assert third.session_reused


def test_who_brings_a_key_is_shown_none(skymock, api):
    breaking.make(api, "handshake", "certificate", kind="expired")
    assert b"Cipher is PSK" in psk(skymock, FIRST).stdout
    assert not api.events(type="fault")


def test_an_authority_of_ones_own_signs_no_lies(start, tmp_path):
    cert, key = tmp_path / "own.crt", tmp_path / "own.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
                    "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True)
    skymock = start("--tls-cert", str(cert), "--tls-key", str(key))
    for kind in KINDS:
        can = kind in ("unknown-ca", "self-signed")
        status, pointer = breaking.refusal(skymock.api, "handshake", "certificate", kind=kind)
        assert (status, pointer) == ((201, None) if can else (400, "/kind")), kind
    text = s_client(skymock, cert, "-cipher", "AES256-SHA256")
    assert "verify error:num=20:" in text


# ---- what cannot be ----

@pytest.mark.parametrize("point, action, more, pointer", [
    ("accept", "certificate", {"kind": "expired"}, "/action"),
    ("accept", "reorder", {"ms": 1}, "/action"),
    ("accept", "duplicate", {}, "/action"),
    ("accept", "set", {"code": 1}, "/action"),
    ("accept", "corrupt", {}, "/action"),
    ("accept", "cut", {"at": 1}, "/action"),
    ("handshake", "reorder", {"ms": 1}, "/action"),
    ("handshake", "duplicate", {}, "/action"),
    ("handshake", "set", {"code": 1}, "/action"),
    ("handshake", "certificate", {}, "/kind"),
    ("handshake", "certificate", {"kind": "rusty"}, "/kind"),
    ("mqtt", "close", {}, "/point"),
    # nobody has said yet who it is, so that such a fault would wait in vain
    ("accept", "close", {"device": "aliyun/pk/device"}, "/device"),
    ("accept", "close", {"match": {"product": "aliyun/pk"}}, "/match/product"),
    ("handshake", "certificate", {"kind": "expired", "product": "aliyun/pk"}, "/product"),
    ("handshake", "certificate", {"kind": "expired", "match": {"cloud": "enos"}}, "/match/cloud"),
])
def test_what_cannot_be(api, point, action, more, pointer):
    assert breaking.refusal(api, point, action, **more) == (400, pointer)


# ---- and how it ends ----

@pytest.mark.parametrize("action,more", [("cut", {"at": 100000}), ("corrupt", {"at": 100000})])
def test_a_fault_that_has_nothing_to_do_lets_go_of_the_connection(skymock, ca, action, more):
    skymock.api.post("/api/v1/faults", {"point": "handshake", "action": action, **more})
    context = ssl.create_default_context(cafile=str(ca))
    for _ in range(20):
        peer = server.TlsPeer(skymock.ports["mqtts"], context)
        peer.send_packet(type="connect", **credentials.login(DEVICE, securemode="2"))
        assert peer.receive()["code"] == 0
        peer.send_packet(type="disconnect")
        assert peer.receive() is None
        peer.close()
    time.sleep(2.2)  # for as long as one that closes may read the rest
    skymock.api.barrier()
