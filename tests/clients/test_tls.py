"""TLS as devices speak it, played by OpenSSL, curl, mosquitto and Python."""

import contextlib
import socket
import ssl
import subprocess
import time
import warnings

import pytest
import server
from clients import DEVICES, EXCHANGES, sign

VENDOR_HOSTS = ["pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", "pk.iot-as-mqtt.us-west-1.aliyuncs.com",
                "pk.iot-as-mqtt.ap-southeast-1.aliyuncs.com", "iot-auth.cn-shanghai.aliyuncs.com",
                "iot-1.mqtt.iothub.aliyuncs.com", "PROD123456.iotcloud.tencentdevices.com",
                "gateway.tencentdevices.com"]
PSK_IDENTITY = "PROD123456dev001"
PSK_HEX = b"1234567890abcdef".hex()
OLD = "DEFAULT@SECLEVEL=0"  # OpenSSL speaks TLS 1.0 and 1.1 no other way


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=server.PATIENCE_S, check=False, stdin=subprocess.DEVNULL)


def s_client(port, *options):
    """What OpenSSL's client has to tell of one handshake; its input ends at once."""
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options)
    return done.stdout + done.stderr


def handshake(api, **expected):
    return api.wait_event({"type": "tls-handshake", **expected})


# ---- what is spoken ----

@pytest.mark.parametrize("listener", ["mqtt", "mqtts", "https"])
@pytest.mark.parametrize("option,version", [("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1"),
                                            ("-tls1_2", "TLS 1.2")])
def test_every_version_and_below_1_2_is_a_finding(skymock, ca, listener, option, version):
    said = s_client(skymock.ports[listener], option, "-cipher", OLD, "-CAfile", ca,
                    "-verify_hostname", "localhost", "-verify_return_error")
    assert "Verify return code: 0 (ok)" in said, said
    event = handshake(skymock.api, listener=listener, tlsVersion=version)
    rules = [finding["rule"] for finding in event["findings"]]
    assert rules == ([] if version == "TLS 1.2" else ["TLS-VERSION"])
    assert "refused" not in event


@pytest.mark.parametrize("suite,name", [
    ("AES128-SHA256", "TLS-RSA-WITH-AES-128-CBC-SHA256"),
    ("AES256-SHA256", "TLS-RSA-WITH-AES-256-CBC-SHA256"),
    ("AES128-SHA", "TLS-RSA-WITH-AES-128-CBC-SHA"),
    ("AES256-SHA", "TLS-RSA-WITH-AES-256-CBC-SHA"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"),
    ("DHE-RSA-AES128-GCM-SHA256", "TLS-DHE-RSA-WITH-AES-128-GCM-SHA256"),
])
def test_suites_of_the_sdks_with_openssls_default_security_level(skymock, ca, suite, name):
    said = s_client(skymock.ports["mqtt"], "-tls1_2", "-cipher", suite, "-CAfile", ca,
                    "-verify_return_error")
    assert "Verify return code: 0 (ok)" in said, said
    assert handshake(skymock.api, cipher=name)["findings"] == []


@pytest.mark.parametrize("suite", ["PSK-AES128-CBC-SHA", "PSK-AES256-CBC-SHA",
                                   "PSK-AES128-GCM-SHA256"])
def test_pre_shared_keys(skymock, suite):
    said = s_client(skymock.ports["mqtts"], "-tls1_2", "-cipher", suite, "-psk_identity",
                    PSK_IDENTITY, "-psk", PSK_HEX)
    assert f"Cipher is {suite}" in said, said
    event = skymock.api.wait_event({"type": "psk-handshake", "device": DEVICES["tencent"],
                                    "identity": PSK_IDENTITY})
    assert event["tlsVersion"] == "TLS 1.2" and event["cipher"].startswith("TLS-PSK-WITH-AES-")


@pytest.mark.parametrize("listener", ["mqtt", "https"])
def test_no_certificate_is_asked_for_where_sdks_abort_on_it(skymock, listener):
    said = s_client(skymock.ports[listener], "-tls1_2", "-msg")
    assert "ServerHelloDone" in said and "CertificateRequest" not in said


@pytest.mark.parametrize("listener", ["mqtts", "enos-mqtts"])
def test_a_certificate_is_asked_for_where_devices_have_one(skymock, listener):
    assert "CertificateRequest" in s_client(skymock.ports[listener], "-tls1_2", "-msg")


# ---- certificates ----

@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", *VENDOR_HOSTS])
@pytest.mark.parametrize("suite", ["aRSA", "aECDSA"])
def test_curl_verifies_every_name_devices_connect_to(skymock, ca, host, suite):
    done = run("curl", "-sS", "-o", "/dev/null", "--cacert", ca, "--tls-max", "1.2", "--ciphers",
               suite, "--connect-to", f"::127.0.0.1:{skymock.ports['https']}", f"https://{host}/")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suite", ["aRSA", "aECDSA"])
def test_certificates_pass_openssls_strict_checks(skymock, ca, suite):
    said = s_client(skymock.ports["mqtt"], "-CAfile", ca, "-x509_strict", "-verify_return_error",
                    "-purpose", "sslserver", "-verify_hostname", "localhost", "-tls1_2",
                    "-cipher", suite)
    assert "Verify return code: 0 (ok)" in said, said


def test_a_kept_authority_survives_a_restart_and_further_names(start, tmp_path):
    store = tmp_path / "sky.db"
    first = start("--store", str(store))
    authority = first.api.get("/ca.crt")
    first.stop()
    path = tmp_path / "ca.crt"
    path.write_text(authority)
    second = start("--store", str(store), "--san", "mock.example", "--san", "10.9.8.7")
    assert second.api.get("/ca.crt") == authority
    for option, name in (("-verify_hostname", "mock.example"), ("-verify_ip", "10.9.8.7")):
        said = s_client(second.ports["mqtts"], "-CAfile", path, option, name)
        assert "Verify return code: 0 (ok)" in said, said


def test_own_certificates(start, tmp_path):
    key, certificate = tmp_path / "own.key", tmp_path / "own.crt"
    made = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
               certificate, "-days", "2", "-subj", "/CN=own.example", "-addext",
               "subjectAltName=DNS:own.example")
    assert made.returncode == 0, made.stderr
    own = start("--tls-cert", str(certificate), "--tls-key", str(key))
    assert own.api.get("/ca.crt") == certificate.read_text()
    said = s_client(own.ports["mqtt"], "-CAfile", certificate, "-verify_hostname", "own.example")
    assert "Verify return code: 0 (ok)" in said, said
    status, answer = own.api.request("POST", f"/api/v1/devices/{DEVICES['enos']}/certificates", {})
    assert status == 409, answer


@pytest.mark.parametrize("options,says", [
    (["--tls-cert", "/nonexistent.crt", "--tls-key", "/nonexistent.key"], "/nonexistent.crt"),
    (["--tls-ca", "/nonexistent.crt"], "--tls-cert"),
    (["--san", "not/a/name"], "not/a/name"),
    (["--advertise-host", "not/a/name"], "not/a/name"),
])
def test_unusable_certificates_stop_the_start(options, says):
    done = server.run("serve", "--listen", "mqtt=0", *options)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_alert_is_heard_though_the_client_is_gone_at_once(skymock):
    for _ in range(20):  # a worker has the handshake then, or has not
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = ssl.create_default_context().wrap_bio(come, go, server_hostname="localhost")
        with socket.create_connection(("127.0.0.1", skymock.ports["mqtt"])) as raw:
            with pytest.raises(ssl.SSLCertVerificationError):
                while True:
                    try:
                        tls.do_handshake()
                    except ssl.SSLWantReadError:
                        raw.sendall(go.read())
                        come.write(raw.recv(16384))
            raw.sendall(go.read())
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    skymock.api.barrier()
    reasons = [event["reason"] for event in skymock.api.events(type="tls-handshake")]
    assert len(reasons) == 20
    assert all("alert 48 (unknown_ca)" in reason for reason in reasons), reasons


# ---- client certificates ----

@pytest.fixture
def issued(api, tmp_path):
    """issued(kind) has the API issue one for the EnOS device: its files, its fingerprint."""
    def issue(kind):
        answer = api.post(f"/api/v1/devices/{DEVICES['enos']}/certificates", {"key": kind})
        certificate, key = tmp_path / "device.crt", tmp_path / "device.key"
        certificate.write_text(answer["certificate"])
        key.write_text(answer["key"])
        return certificate, key, answer["fingerprint"]
    return issue


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_device_logs_in_with_its_certificate(skymock, ca, issued, kind):
    device, topic, _, payload = EXCHANGES["enos"]
    certificate, key, _ = issued(kind)
    fields = sign(device, "--tls")
    done = run("mosquitto_pub", "-V", "mqttv311", "-h", "localhost", "-p",
               skymock.ports["enos-mqtts"], "-k", "60", "-i", fields["clientId"], "-u",
               fields["username"], "-P", fields["password"], "--cafile", ca, "--cert", certificate,
               "--key", key, "-t", topic, "-m", payload, "-q", "1")
    assert done.returncode == 0, done.stderr
    skymock.api.wait_event({"type": "publish", "device": device, "transport": "tls"})


def test_a_missing_certificate_is_refused_where_required(skymock):
    said = s_client(skymock.ports["enos-mqtts"], "-tls1_2")
    assert "alert handshake failure" in said, said
    handshake(skymock.api, listener="enos-mqtts", rules=["TLS-CLIENT-CERT"])


# ---- what is agreed on ----

@pytest.mark.parametrize("listener,options", [
    ("mqtt", ["-cipher", "AES128-SHA"]), ("mqtts", ["-cipher", "AES128-SHA"]),
    ("mqtts", ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
    ("mqtts", ["-cipher", "PSK-AES128-CBC-SHA", "-psk_identity", PSK_IDENTITY, "-psk", PSK_HEX]),
    ("https", ["-cipher", "PSK-AES128-GCM-SHA256", "-psk_identity", PSK_IDENTITY, "-psk", PSK_HEX]),
])
def test_the_master_secret_is_bound_to_the_handshake(skymock, listener, options):
    said = s_client(skymock.ports[listener], "-tls1_2", *options)
    assert "Extended master secret: yes" in said, said


@pytest.mark.parametrize("curve,spoken", [("prime192v1", False), ("secp224r1", True),
                                          ("prime256v1", True), ("X25519", True)])
def test_weak_curves_are_off(skymock, curve, spoken):
    said = s_client(skymock.ports["mqtt"], "-tls1_2", "-cipher", "ECDHE:@SECLEVEL=0", "-curves",
                    curve)
    assert ("Cipher is ECDHE" in said) == spoken, said


# ---- records ----

@pytest.mark.parametrize("size", [512, 1024, 2048, 4096])
def test_clients_that_ask_for_short_records(skymock, ca, size):
    for suite in ["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]:
        said = s_client(skymock.ports["mqtt"], "-tls1_2", "-cipher", suite, "-maxfraglen", size,
                        "-CAfile", ca, "-verify_return_error")
        assert "Verify return code: 0 (ok)" in said, said
    assert not any(event["findings"] for event in skymock.api.events(type="tls-handshake"))


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_messages_spread_over_records(skymock, ca, issued, kind):
    """OpenSSL cuts its own messages into records of 512 bytes: the certificate takes several."""
    certificate, key, _ = issued(kind)
    said = s_client(skymock.ports["enos-mqtts"], "-tls1_2", "-max_send_frag", 512, "-cert",
                    certificate, "-key", key, "-CAfile", ca, "-verify_return_error")
    assert "Verify return code: 0 (ok)" in said and "Cipher is" in said, said
    assert handshake(skymock.api, listener="enos-mqtts")["findings"] == []


def test_the_advertised_host_is_in_the_certificate(start, tmp_path):
    running = start("--advertise-host", "cloud.example")
    ca = tmp_path / "ca.crt"
    ca.write_text(running.api.get("/ca.crt"))
    said = s_client(running.ports["https"], "-CAfile", ca, "-verify_hostname", "cloud.example",
                    "-servername", "cloud.example", "-verify_return_error")
    assert "Verify return code: 0 (ok)" in said, said


# ---- refusals are explained ----

def test_a_client_that_does_not_trust_the_authority(skymock):
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(socket.create_connection(("127.0.0.1", skymock.ports["mqtt"])),
                            server_hostname="localhost")
    event = handshake(skymock.api, rules=["TLS-SERVER-CERT"])
    # A client that hangs up with the server's flight unread may take its own alert with it.
    assert "not trust" in event["reason"] and event["serverName"] == "localhost"


def test_a_failed_handshake_explains_itself(skymock):
    s_client(skymock.ports["enos-mqtts"], "-tls1_2", "-cipher", "PSK", "-psk", "00")
    event = handshake(skymock.api, listener="enos-mqtts", rules=["TLS-NO-COMMON-SUITE"])
    explanation = event["explanation"]
    assert explanation["rule"] == "TLS-NO-COMMON-SUITE"
    assert explanation["what"] and "suite" in explanation["hint"]


def test_a_client_that_misses_the_name(skymock, ca):
    said = s_client(skymock.ports["mqtt"], "-CAfile", ca, "-verify_hostname", "cloud.example",
                    "-servername", "cloud.example", "-verify_return_error")
    assert "hostname mismatch" in said, said
    event = handshake(skymock.api, rules=["TLS-SERVER-CERT"])
    assert "'cloud.example'" in event["reason"]


@pytest.mark.parametrize("listener,options,rule,says,alert", [
    ("mqtt", ["-tls1_3"], "TLS-VERSION", "TLS 1.3 only", "handshake failure"),
    ("enos-mqtts", ["-tls1_2", "-cipher", "PSK", "-psk", "00"], "TLS-NO-COMMON-SUITE",
     "pre-shared keys only", "handshake failure"),
    ("mqtts", ["-tls1_2", "-cipher", "kECDHEPSK", "-psk", "00"], "TLS-NO-COMMON-SUITE",
     "plain PSK suites", "handshake failure"),
    ("mqtts", ["-tls1_2", "-cipher", "PSK", "-psk_identity", "PROD123456nobody", "-psk", "00"],
     "TLS-PSK-IDENTITY", "refused", "unknown psk identity"),
    ("mqtts", ["-tls1_2", "-cipher", "PSK", "-psk_identity", PSK_IDENTITY, "-psk", "00"],
     "TLS-PSK-KEY", "another key", "bad record mac"),
])
def test_handshakes_that_cannot_succeed(skymock, listener, options, rule, says, alert):
    said = s_client(skymock.ports[listener], *options)
    assert f"alert {alert}" in said, said
    event = handshake(skymock.api, listener=listener, rules=[rule])
    assert says in event["reason"] and event["offered"]
    assert event["state"] == "refused" and "code" not in event, "the server did, not the client"


def test_a_client_that_leaves_without_a_word_when_it_has_seen_the_certificate(skymock):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with socket.create_connection(("127.0.0.1", skymock.ports["mqtt"])) as sock:
        sock.sendall(outgoing.read())
        assert sock.recv(65536)
        time.sleep(0.2)  # all of its flight, so that nothing is left unread
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.recv(65536)
    event = handshake(skymock.api, rules=["TLS-SERVER-CERT"])
    assert event["state"] == "left" and "code" not in event


def test_the_mistake_behind_a_wrong_key_is_named(skymock):
    """The key as the console shows it, not decoded."""
    s_client(skymock.ports["mqtts"], "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA", "-psk_identity",
             PSK_IDENTITY, "-psk", b"MTIzNDU2Nzg5MGFiY2RlZg==".hex())
    event = skymock.api.wait_event({"type": "psk-handshake", "device": DEVICES["tencent"]})
    assert event["explanation"]["mistake"] == "key-not-decoded"


@pytest.mark.parametrize("end,shown", [("\n", "\\n"), ("\r\n", "\\r\\n")])
def test_a_line_end_in_an_identity_is_named(skymock, end, shown):
    said = s_client(skymock.ports["mqtts"], "-tls1_2", "-cipher", "PSK", "-psk_identity",
                    PSK_IDENTITY + end, "-psk", PSK_HEX)
    assert "alert unknown psk identity" in said, said
    event = skymock.api.wait_event({"type": "psk-handshake", "device": DEVICES["tencent"],
                                    "identity": PSK_IDENTITY + shown})
    assert event["explanation"]["mistake"] == "identity-line-end"
    assert "registered device" in event["explanation"]["what"]


def test_tls_bytes_that_are_no_tls(skymock, peer):
    stray = peer("mqtt")
    stray.send(b"\x16 these are no records")
    assert stray.socket.recv(64)[:1] == b"\x15"  # an alert
    assert stray.socket.recv(64) == b""
    event = handshake(skymock.api, rules=["TLS-HANDSHAKE"])
    assert "no TLS ClientHello" in event["reason"]


def test_a_peer_that_leaves_in_the_middle(skymock, peer):
    leaving = peer("mqtt")
    leaving.send(bytes.fromhex("16030100ff01"))
    leaving.socket.shutdown(socket.SHUT_WR)
    event = handshake(skymock.api, rules=["TLS-HANDSHAKE"])
    assert "before its ClientHello was complete" in event["reason"]


def test_a_stray_peer_disturbs_nobody(skymock, ca, peer):
    device, topic, _, payload = EXCHANGES["aliyun"]
    for _ in range(20):
        peer("mqtt").send(bytes.fromhex("160301"))
    fields = sign(device, "--tls")
    done = run("mosquitto_pub", "-V", "mqttv311", "-h", "localhost", "-p", skymock.ports["mqtt"],
               "-k", "60", "-i", fields["clientId"], "-u", fields["username"], "-P",
               fields["password"], "--cafile", ca, "-t", topic, "-m", payload, "-q", "1")
    assert done.returncode == 0, done.stderr


# ---- sessions ----

def connect(context, port, session=None):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                               server_hostname="localhost", session=session)


def context_of(ca, version):
    """One version of TLS only."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_ciphers(OLD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


def log_in(running, peer, ca, version):
    """What the device's login is answered with, and what is then thought of its TLS."""
    device = DEVICES["aliyun"]
    fields = sign(device, "--tls")
    one = peer("mqtt")
    one.socket = context_of(ca, version).wrap_socket(one.socket, server_hostname="localhost")
    one.send_packet(type="connect", keepalive=60, clientId=fields["clientId"],
                    username=fields["username"], password=fields["password"])
    code = one.receive()["code"]
    verdict = running.api.verdict(device)["devices"][0]
    rules = {rule["id"]: rule["verdict"] for rule in verdict["rules"]}
    return code, {name: rules[name] for name in rules if name.startswith("TLS-")}


def test_the_verdict_knows_the_tls_of_a_device(skymock, ca, peer):
    kept = {"TLS-HANDSHAKE": "passed", "TLS-NO-COMMON-SUITE": "passed", "TLS-TIMEOUT": "passed",
            "TLS-SERVER-CERT": "passed", "TLS-CLIENT-CERT": "not exercised",
            "TLS-PSK-IDENTITY": "not exercised", "TLS-PSK-KEY": "not exercised"}
    code, rules = log_in(skymock, peer, ca, ssl.TLSVersion.TLSv1_2)
    assert (code, rules) == (0, {**kept, "TLS-VERSION": "passed"})
    skymock.api.reset()
    code, rules = log_in(skymock, peer, ca, ssl.TLSVersion.TLSv1_1)
    assert (code, rules) == (0, {**kept, "TLS-VERSION": "warned"})


def test_old_versions_can_be_refused(start, tmp_path):
    running = start("--rule", "TLS-VERSION=enforce")
    ca = tmp_path / "ca.crt"
    ca.write_text(running.api.get("/ca.crt"))
    code, rules = log_in(running, lambda name: server.Peer(running.ports[name]), ca,
                         ssl.TLSVersion.TLSv1_1)
    assert (code, rules["TLS-VERSION"]) == (5, "failed")
    event = running.api.wait_event({"type": "connect", "device": DEVICES["aliyun"]})
    assert event["explanation"]["rule"] == "TLS-VERSION"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2])
def test_a_session_is_resumed_for_a_day(skymock, ca, version):
    context = context_of(ca, version)
    port = skymock.ports["mqtt"]
    with connect(context, port) as first:
        session = first.session
        assert not first.session_reused
    with connect(context, port, session) as second:
        assert second.session_reused
    handshake(skymock.api, detail="resumed")
    skymock.api.advance(24 * 3600 * 1000)
    with connect(context, port, session) as third:
        assert not third.session_reused


def test_large_payloads_pass_both_ways(skymock, ca, peer):
    device, topic, answer_topic, _ = EXCHANGES["aliyun"]
    fields = sign(device, "--tls")
    large = peer("mqtt")
    large.socket = ssl.create_default_context(cafile=str(ca)).wrap_socket(
        large.socket, server_hostname="localhost")
    large.send_packet(type="connect", keepalive=60, clientId=fields["clientId"],
                      username=fields["username"], password=fields["password"])
    assert large.receive()["code"] == 0
    large.send_packet(type="subscribe", id=1, filters=[[answer_topic, 0]])
    assert large.receive()["type"] == "suback"
    large.send_packet(type="publish", topic=topic, payload="x" * 200000)
    assert large.receive()["payload"] == "x" * 200000


def test_whoever_leaves_while_the_server_makes_its_keys_is_not_to_blame(start):
    running = start()
    hello = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
            ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    peer = server.Peer(running.ports["mqtts"])
    peer.send(hello.read())
    running.api.barrier()
    peer.close()
    event = running.api.wait_event({"type": "tls-handshake"})
    if "was making" not in event["reason"]:  # it has been quick: its answer is there
        pytest.skip(event["reason"])
    assert event["findings"] == []
    assert running.api.get("/api/v1/verdicts")["devices"] == []
