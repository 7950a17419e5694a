"""Devices over CoAP and DTLS, played by libcoap's clients, OpenSSL, GnuTLS and node-coap-client."""

import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path

import coap
import credentials
import pytest
import server
from clients import sign
from coap import GET, POST, PUT, Device
from enos import credentials as enos
from relay import Relay

DEVICE, SECOND = "enos/KV315idW/tPbZGCdmaE", "enos/KV315idW/second"
STATIC = "enos/static01/only"
SYS = "/topic/sys/KV315idW/tPbZGCdmaE"
POST_PATH = f"{SYS}/thing/measurepoint/post"
SET_PATH = f"{SYS}/thing/service/measurepoint/set"
ACTIVATION = "/topic/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info"
CLIENTS = ["coap-client-gnutls", "coap-client-openssl"]
SUITES = ["PSK-AES128-CCM8", "PSK-AES128-CBC-SHA256"]
STRANGERS_MAX = 50  # that are shown in a second
NODE = server.ROOT / "build/node/node_modules/node-coap-client"


def measurement(value=1.5, message_id="1"):
    return json.dumps({"id": message_id, "version": "1.0",
                       "params": {"measurepoints": {"Power": value}},
                       "method": "thing.measurepoint.post"}).encode()


def run(*command, data=None):
    return subprocess.run([part if isinstance(part, bytes) else str(part) for part in command],
                          capture_output=True, input=data, timeout=server.PATIENCE_S, check=False)


def client(program, port, path, *options, name=DEVICE, mode=2, key=None):
    """What one of libcoap's clients prints."""
    done = run(program, "-v", "4", "-u", enos.identity(name, mode), "-k",
               key or enos.key(name, mode), "-B", "20", *options, f"coaps://127.0.0.1:{port}{path}")
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.fixture
def device(skymock):
    """device() opens a session of that device; it ends with the test."""
    opened = []

    def open_one(name=DEVICE, mode=2, lifetime=3600, key=None, port=None, **options):
        opened.append(Device(port or skymock.ports["coaps"], enos.identity(name, mode, lifetime),
                             key or enos.key(name, mode), **options))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def relay(skymock):
    """relay(...) stands in front of the server."""
    opened = []

    def open_one(**chances):
        opened.append(Relay(skymock.ports["coaps"], **chances))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def handshake(api, **expected):
    return api.wait_event({"type": "psk-handshake", **expected})


def rules(event):
    return [finding["rule"] for finding in event["findings"]]


def command(api, value, name=DEVICE, **options):
    """The application sets a measure point; it does not wait for the answer."""
    return api.post(f"/api/v1/devices/{name}/commands",
                    {"kind": "measurepoint-set", "params": {"Power": value}, "waitMs": 0, **options})


# ---- real clients ----

@pytest.mark.parametrize("program", CLIENTS)
def test_libcoaps_clients_post_and_are_answered(skymock, program):
    said = client(program, skymock.ports["coaps"], POST_PATH, "-m", "post", "-e",
                  measurement().decode())
    assert '{"id":"1","code":200,"data":{}}' in said
    shaken = handshake(skymock.api, device=DEVICE)
    assert (shaken["tlsVersion"], shaken["keepAlive"]) == ("DTLS 1.2", 3600)
    event = skymock.api.wait_event({"type": "coap-request", "device": DEVICE, "method": "POST"})
    assert rules(event) == []
    skymock.api.wait_event({"type": "publish", "transport": "dtls", "direction": "up",
                            "service": "measurepoint-post"})


@pytest.mark.parametrize("program", CLIENTS)
def test_a_long_body_comes_block_by_block(skymock, tmp_path, program):
    body = tmp_path / "body"
    points = {f"point{number:03d}": number for number in range(260)}
    body.write_text(json.dumps({"id": "1", "version": "1.0", "params": {"measurepoints": points},
                                "method": "thing.measurepoint.post"}).ljust(5000))
    assert body.stat().st_size == 5000
    said = client(program, skymock.ports["coaps"], POST_PATH, "-m", "post", "-f", body)
    assert '"code":200' in said
    event = skymock.api.wait_event({"type": "publish", "direction": "up", "device": DEVICE})
    assert len(event["payload"]) == 5000
    requests = skymock.api.events(type="coap-request")
    assert [each["count"] for each in requests] == list(range(len(requests)))
    assert len(requests) >= 5
    assert not any(rules(each) for each in requests)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("program", CLIENTS)
def test_the_commands_that_sign_prints_work_as_they_are(skymock, program, dynamic):
    """But for the port, which is another one here."""
    line, = [each for each in sign(DEVICE, *(["--dynamic"] if dynamic else []))["commands"]
             if each.startswith("coap-client")]
    line = line.replace("coap-client-openssl", program).replace(":5684", f":{skymock.ports['coaps']}")
    done = run("bash", "-c", line)
    assert done.returncode == 0 and b"4." not in done.stdout + done.stderr, done
    response = skymock.api.wait_event({"type": "coap-response", "device": DEVICE})
    assert response["status"] == (205 if dynamic else 204)


@pytest.mark.parametrize("suite", SUITES)
def test_openssl_talks_with_both_suites(skymock, device, suite):
    name = {"PSK-AES128-CCM8": "TLS-PSK-WITH-AES-128-CCM-8"}.get(suite,
                                                                  "TLS-PSK-WITH-AES-128-CBC-SHA256")
    answer = device(suite=suite).post(POST_PATH, measurement())
    assert answer.code == "2.04" and json.loads(answer.payload)["code"] == 200
    handshake(skymock.api, device=DEVICE, detail=name)


@pytest.mark.parametrize("suite", ["+AES-128-CCM-8:+AEAD", "+AES-128-CBC:+SHA256"])
def test_gnutls_talks_with_both_suites(skymock, suite):
    done = run("gnutls-cli", "--udp", "--pskusername", enos.identity(DEVICE), "--pskkey",
               enos.key(DEVICE).hex(), "--priority",
               f"NONE:+VERS-DTLS1.2:+PSK:{suite}:+COMP-NULL:+SIGN-ALL:+GROUP-ALL", "-p",
               skymock.ports["coaps"], "127.0.0.1", data=b"")
    assert b"Handshake was completed" in done.stdout, done
    handshake(skymock.api, device=DEVICE)


@pytest.mark.skipif(not shutil.which("node") or not NODE.is_dir(),
                    reason="needs node, and its packages as ./dev test installs them")
def test_node_coap_client_posts_and_is_answered(skymock):
    script = Path(__file__).with_name("coap_device.js")
    done = subprocess.run(["node", str(script), f"coaps://127.0.0.1:{skymock.ports['coaps']}",
                           enos.identity(DEVICE), enos.key(DEVICE).hex(), POST_PATH,
                           measurement().decode()],
                          capture_output=True, text=True, timeout=server.PATIENCE_S, check=False,
                          env={**os.environ, "NODE_PATH": str(NODE.parent)})
    assert '"code":200' in done.stdout, done.stdout + done.stderr
    skymock.api.wait_event({"type": "publish", "direction": "up", "device": DEVICE})


# ---- handshakes that must fail ----

def s_client(port, *options):
    done = run("openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", *options,
               data=b"")
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("suites,rule", [
    ("ECDHE-RSA-AES128-SHA256:AES128-SHA256", "COAP-PSK-ONLY"),
    ("PSK-AES256-CBC-SHA384", "COAP-CIPHER"), ("PSK-AES128-CCM", "COAP-CIPHER"),
])
def test_other_suites_are_refused_at_once(skymock, suites, rule):
    said = s_client(skymock.ports["coaps"], "-cipher", f"{suites}:@SECLEVEL=0", "-psk_identity",
                    enos.identity(DEVICE), "-psk", enos.key(DEVICE).hex())
    assert "handshake failure" in said, said
    event = skymock.api.wait_event({"type": "tls-handshake", "transport": "dtls", "rules": [rule]})
    assert event["offered"]


def test_clear_coap_on_the_port_is_named(skymock):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(coap.encode(GET, ACTIVATION), ("127.0.0.1", skymock.ports["coaps"]))
        skymock.api.wait_event({"type": "malformed", "rules": ["COAP-DTLS-REQUIRED"]})


def test_a_name_in_the_hello_is_shown_with_the_refusal(skymock):
    s_client(skymock.ports["coaps"], "-cipher", "PSK-AES128-CCM:@SECLEVEL=0", "-psk", "00",
             "-servername", "cloud.example")
    event = skymock.api.wait_event({"type": "tls-handshake", "rules": ["COAP-CIPHER"]})
    assert event["serverName"] == "cloud.example"


def test_dtls_1_0_is_refused_by_its_name(skymock):
    run("openssl", "s_client", "-dtls1", "-connect", f"127.0.0.1:{skymock.ports['coaps']}",
        "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0", "-psk", "00", data=b"")
    event = skymock.api.wait_event({"type": "tls-handshake", "rules": ["TLS-VERSION"]})
    assert "no DTLS 1.2" in event["reason"]


@pytest.mark.parametrize("length, rule", [(160, "COAP-IDENTITY-SHAPE"), (161, "TLS-PSK-IDENTITY")])
def test_an_identity_has_a_length(skymock, length, rule):
    """SKY_DTLS_IDENTITY_MAX; what is longer is looked up nowhere."""
    said = s_client(skymock.ports["coaps"], "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0",
                    "-psk_identity", "x" * length, "-psk", "00")
    assert "unknown psk identity" in said, said
    skymock.api.wait_event({"transport": "dtls", "rules": [rule]})


def test_so_many_strangers_are_shown_and_the_rest_is_counted(skymock):
    """SKY_COAP_STRANGERS_MAX a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", skymock.ports["coaps"]))
        for _ in range(STRANGERS_MAX * 2):
            sock.send(b"hello")
        while not (notes := skymock.api.events(type="note")):
            sock.send(b"hello")  # the first of a new second tells
    assert notes[0]["name"] == "coap-strangers" and notes[0]["count"] > 0


@pytest.mark.parametrize("identity,rule", [
    ("KV315idW,nobody,2,3600", "COAP-DEVICE-UNKNOWN"),
    ("KV315idW,tPbZGCdmaE,2", "COAP-IDENTITY-SHAPE"),
    ("KV315idW, tPbZGCdmaE,2,3600", "COAP-IDENTITY-SPACE"),
    ("KV315idW,tPbZGCdmaE,1,3600", "COAP-SECUREMODE"),
    ("KV315idW,tPbZGCdmaE,2,29", "COAP-LIFETIME-RANGE"),
    ("KV315idW,tPbZGCdmaE,2,86401", "COAP-LIFETIME-RANGE"),
    ("KV315idW,tPbZGCdmaE,2,soon", "COAP-LIFETIME-RANGE"),
    ("static01,only,3,3600", "COAP-DYNAMIC-DISABLED"),
    ("KV315idW,disabled,2,3600", "ENOS-DEVICE-DISABLED"),
])
def test_an_identity_that_is_refused_gets_alert_115_and_a_reason(skymock, identity, rule):
    said = s_client(skymock.ports["coaps"], "-psk_identity", identity, "-psk", "00" * 16,
                    "-cipher", "PSK-AES128-CBC-SHA256")
    assert "SSL alert number 115" in said, said
    event = handshake(skymock.api, identity=identity, rules=[rule])
    assert event["explanation"]["rule"] == rule


def _wrong_keys():
    """A device's mistakes, the rule each breaks, and what is said of it."""
    secret, product = credentials.SECRETS[DEVICE]
    digest = hashlib.sha256(secret.encode()).digest()
    due = digest[8:24]
    yield "counted-from-zero", 2, digest[9:25], "COAP-PSK-KEY", "counted from 0"
    yield "first-bytes", 2, digest[:16], "COAP-PSK-KEY", "first bytes"
    yield "whole-digest", 2, digest, "COAP-PSK-KEY", "whole digest"
    yield "secret-itself", 2, secret.encode(), "COAP-PSK-KEY", "secret itself"
    yield "hex-lower", 2, due.hex().encode(), "COAP-PSK-KEY", "lower case"
    yield "hex-upper", 2, due.hex().upper().encode(), "COAP-PSK-KEY", "upper case"
    yield "hex-slice", 2, digest.hex().encode()[8:24], "COAP-PSK-KEY", "hexadecimal text"
    yield "product-secret", 2, enos.psk(product), "COAP-PSK-WRONG-SECRET", "product's secret"
    yield "device-secret", 3, due, "COAP-PSK-WRONG-SECRET", "device's secret"
    yield "another-device", 2, enos.key(SECOND), "COAP-PSK-KEY", "another device, second"
    yield "no-idea", 2, b"sixteen bytes..!", "COAP-PSK-KEY", "no known mistake"


WRONG_KEYS = list(_wrong_keys())


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("mode,key,rule,words", [row[1:] for row in WRONG_KEYS],
                         ids=[row[0] for row in WRONG_KEYS])
def test_a_wrong_key_gets_alert_20_and_the_mistake_its_name(skymock, suite, mode, key, rule, words):
    said = s_client(skymock.ports["coaps"], "-psk_identity", enos.identity(DEVICE, mode), "-psk",
                    key.hex(), "-cipher", f"{suite}:@SECLEVEL=0")
    assert "SSL alert number 20" in said, said
    event = handshake(skymock.api, device=DEVICE, rules=["COAP-PSK-KEY", rule])
    assert words in event["explanation"]["what"]
    assert credentials.SECRETS[DEVICE][0] not in json.dumps(event)


# ---- requests ----

@pytest.mark.parametrize("method,path,payload,code,rule", [
    (POST, f"{SYS}/thing/model/up_raw", b"\x01\x02", "2.04", None),
    (POST, POST_PATH, b"{not json", "4.00", "ENOS-PAYLOAD-JSON"),
    (POST, POST_PATH, b"", "4.00", "ENOS-PAYLOAD-JSON"),
    (POST, "/topic/sys/KV315idW/second/thing/measurepoint/post", b"{}", "4.03", "ENOS-TOPIC-ACL"),
    (POST, "/topic/nonsense", b"{}", "4.04", "ENOS-TOPIC-ACL"),
    (POST, f"{SYS}/thing/nonsense", b"{}", "4.04", "ENOS-SERVICE-UNKNOWN"),
    (POST, f"{SYS}/+/x", b"{}", "4.04", None),
    (POST, "/other", b"{}", "4.04", "COAP-PATH-PREFIX"),
    (POST, "", b"{}", "4.04", "COAP-PATH-PREFIX"),
    (PUT, POST_PATH, b"{}", "4.05", None),
    (coap.DELETE, POST_PATH, b"", "4.05", None),
    (7, POST_PATH, b"", "4.05", None),
    (GET, SET_PATH, b"", "2.05", None),
    (GET, "/topic/sys/KV315idW/second/thing/model/down_raw", b"", "4.03", None),
    (POST, f"{SYS}/thing/topo/get", b'{"params":{}}', "4.03", None),
    (POST, "/topic/ext/session/KV315idW/tPbZGCdmaE/combine/login", b'{"params":{}}', "4.03", None),
    (GET, f"{SYS}/thing/measurepoint/post", b"", "4.04", None),
    (POST, POST_PATH, measurement(None), "2.04", "ENOS-PARAMS"),
    (POST, POST_PATH, measurement().replace(b"measurepoint.post", b"other"), "2.04",
     "ENOS-METHOD-TOPIC"),
    (GET, "/.well-known/core", b"", "4.04", "COAP-OBSERVE"),
])
def test_every_request_has_its_code(skymock, device, method, path, payload, code, rule):
    answer = device().ask(method, path, payload)
    assert answer.code == code
    if code[0] == "4":
        assert answer.payload == b""
    if rule:
        skymock.api.wait_event({"device": DEVICE, "rules": [rule]})


@pytest.mark.parametrize("options,rule", [
    ({"options": [(coap.OBSERVE, b"")]}, "COAP-OBSERVE"),
    ({"payload": measurement(1.5).ljust(1100)}, "COAP-PAYLOAD-SIZE"),
    ({"token": b"again"}, "COAP-MID-REUSE"),
])
def test_habits_the_cloud_frowns_upon_are_findings(skymock, device, options, rule):
    one = device()
    one.post(POST_PATH, measurement(), token=b"again")
    answer = one.ask(POST, POST_PATH, **{"payload": measurement(2), **options})
    assert answer.code == "2.04"
    skymock.api.wait_event({"type": "coap-request", "device": DEVICE, "rules": [rule]})


def test_another_request_under_a_known_id_is_told_or_answered_like_the_first(skymock, start, device):
    one = device()
    assert one.post(POST_PATH, measurement(message_id="1"), mid=7).payload.startswith(b'{"id":"1"')
    assert one.post(POST_PATH, measurement(message_id="2"), mid=7, token=b"x").payload.startswith(
        b'{"id":"2"')
    skymock.api.wait_event({"type": "coap-request", "rules": ["COAP-MID-REUSE"]})
    strict = start("--rule", "COAP-MID-REUSE=enforce")
    other = device(port=strict.ports["coaps"])
    first = other.post(POST_PATH, measurement(message_id="1"), mid=7)
    assert other.post(POST_PATH, measurement(message_id="2"), mid=7, token=b"x").token == first.token
    assert len(strict.api.events(type="publish", direction="up")) == 1


def test_a_message_id_counts_within_its_session(device):
    """RFC 7252 §9.1.1: in another session the same one is a new message."""
    for message_id in ("1", "2"):
        answer = device().post(POST_PATH, measurement(message_id=message_id), mid=7, token=b"t")
        assert json.loads(answer.payload)["id"] == message_id


def test_a_broken_message_is_reset_and_the_session_goes_on(skymock, device):
    one = device()
    one.send(bytes([0x40, 1, 0, 9, 0xff]))
    answer = one.receive()
    assert answer.kind == coap.RST and answer.mid == 9
    skymock.api.wait_event({"type": "malformed", "device": DEVICE, "rules": ["COAP-FORMAT"]})
    assert one.ask(POST, POST_PATH, measurement(), options=[(9, b"")]).code == "4.02"
    skymock.api.wait_event({"device": DEVICE, "rules": ["COAP-CRITICAL-OPTION"]})
    block = [(coap.BLOCK1, b"\x1e")]
    assert one.ask(POST, POST_PATH, b"x" * 1024, options=block).code == "4.08"
    skymock.api.wait_event({"device": DEVICE, "rules": ["COAP-BLOCK-ORDER"]})
    assert one.ask(POST, POST_PATH, b"x", options=[(coap.BLOCK1, b"\x06"),
                                                   (coap.SIZE1, b"\x01\x00\x01")]).code == "4.13"
    skymock.api.wait_event({"device": DEVICE, "rules": ["COAP-BODY-SIZE"]})
    assert one.post(POST_PATH, measurement()).code == "2.04"


def test_an_unconfirmable_request_is_answered_unconfirmably(device):
    answer = device()
    answer.send(coap.encode(POST, POST_PATH, measurement(), mid=500, token=b"n", kind=coap.NON))
    got = answer.receive()
    assert (got.kind, got.code, got.token) == (coap.NON, "2.04", b"n")


# ---- activation ----

def test_a_secret_fetched_over_coap_opens_coap_and_mqtt(skymock, device, peer):
    first = device(mode=3).get(ACTIVATION)
    assert first.code == "2.05"
    told = json.loads(first.payload)
    assert told["method"] == "thing.activate.info" and told["params"]["assetId"] == "asset1"
    old, new = enos.key(DEVICE), enos.psk(told["params"]["deviceSecret"])
    assert device(key=old).get(POST_PATH, patience_s=5) is None
    handshake(skymock.api, device=DEVICE, rules=["COAP-PSK-KEY"],
              explanation={"mistake": "old-secret"})
    assert device(key=new).post(POST_PATH, measurement()).code == "2.04"

    fields = credentials.enos(DEVICE, secret=told["params"]["deviceSecret"])
    one = peer("enos-mqtt")
    one.send_packet(type="connect", **fields)
    assert one.receive()["code"] == 0

    assert device(mode=3).get(ACTIVATION, patience_s=5) is None
    handshake(skymock.api, device=DEVICE, rules=["ENOS-DYNAMIC-ALREADY-ACTIVE"])


def test_the_later_profile_answers_a_get_with_2_04(start, device):
    later = start("--profile", "current")
    assert device(mode=3, port=later.ports["coaps"]).get(ACTIVATION).code == "2.04"


@pytest.mark.parametrize("method,path,code,rule", [
    (POST, ACTIVATION, "4.05", "COAP-ACTIVATE-METHOD"),
    (GET, ACTIVATION.replace("tPbZGCdmaE", "second"), "4.03", "COAP-ACTIVATE-OTHER-DEVICE"),
    (POST, POST_PATH, "4.03", "COAP-ACTIVATE-PATH"),
])
def test_a_session_with_the_products_key_fetches_the_secret_only(skymock, device, method, path,
                                                                 code, rule):
    assert device(mode=3).ask(method, path, b"{}" if method == POST else b"").code == code
    skymock.api.wait_event({"type": "coap-request", "device": DEVICE, "rules": [rule]})


def test_going_on_with_the_products_key_is_a_finding(skymock, device):
    one = device(mode=3)
    one.get(ACTIVATION)
    one.post(POST_PATH, measurement())
    skymock.api.wait_event({"type": "coap-request", "device": DEVICE, "rules": ["COAP-REAUTH"]})


# ---- commands ----

def value_of(answer):
    return json.loads(answer.payload)["params"]["Power"]


def test_commands_are_announced_fetched_in_order_and_answered(skymock, device):
    one = device()
    assert one.post(POST_PATH, measurement()).waiting == ""
    for value in (1, 2, 3):
        command(skymock.api, value)
    assert one.post(POST_PATH, measurement()).waiting == SET_PATH
    assert one.get(f"{SYS}/thing/service/other").payload == b""
    for value, waiting in ((1, SET_PATH), (2, SET_PATH), (3, "")):
        answer = one.get(SET_PATH)
        assert (answer.code, value_of(answer), answer.waiting) == ("2.05", value, waiting)
    assert (one.get(SET_PATH).code, one.get(SET_PATH).payload) == ("2.05", b"")
    message_id = json.loads(answer.payload)["id"]
    reply = json.dumps({"id": message_id, "code": 200, "data": {}}).encode()
    assert one.post(f"{SET_PATH}_reply", reply).code == "2.04"
    skymock.api.wait_event({"type": "answer", "device": DEVICE, "name": message_id})


def test_a_command_fetched_again_with_the_same_message_is_the_same_command(skymock, device):
    one = device()
    one.post(POST_PATH, measurement())
    command(skymock.api, 1)
    command(skymock.api, 2)
    first = one.get(SET_PATH, mid=900, token=b"a")
    assert one.get(SET_PATH, mid=900, token=b"a").payload == first.payload
    assert value_of(one.get(SET_PATH)) == 2


def test_a_command_waits_as_long_as_it_is_told_to(skymock, device):
    skymock.api.freeze()
    one = device(lifetime=86400)
    one.post(POST_PATH, measurement())
    command(skymock.api, 1, ttlS=10)
    command(skymock.api, 2)
    skymock.api.advance(9_999)
    assert one.post(POST_PATH, measurement()).waiting == SET_PATH
    skymock.api.advance(1)
    skymock.api.wait_event({"type": "drop", "device": DEVICE})
    assert value_of(one.get(SET_PATH)) == 2
    command(skymock.api, 3)
    since = skymock.api.last_seq()
    skymock.api.advance(172_800_000)
    skymock.api.wait_event({"type": "drop", "device": DEVICE}, since=since)
    assert one.post(POST_PATH, measurement()).waiting == ""


def test_a_command_without_time_to_live_is_for_devices_online(skymock, device):
    skymock.api.freeze()
    one = device(lifetime=30)
    one.post(POST_PATH, measurement())
    command(skymock.api, 1, ttlS=0)
    assert one.post(POST_PATH, measurement()).waiting == SET_PATH
    skymock.api.advance(30_001)
    skymock.api.wait_event({"type": "drop", "device": DEVICE})
    with pytest.raises(server.ApiError, match="409.*offline"):
        command(skymock.api, 2, ttlS=0)
    assert one.post(POST_PATH, measurement()).waiting == ""


@pytest.mark.parametrize("product", [None, "/".join(DEVICE.split("/")[:2])])
def test_what_waited_when_a_snapshot_was_taken_waits_again(skymock, device, product):
    api, days = skymock.api, 86_400_000
    api.freeze()
    one = device(lifetime=86400)
    one.post(POST_PATH, measurement())
    command(api, 1)
    command(api, 2)
    api.post("/api/v1/snapshots", {"name": "s", **({"product": product} if product else {})})
    since = api.last_seq()
    assert value_of(one.get(SET_PATH)) == 1
    for _ in range(2):
        api.advance(3 * days // 2)  # each as much of its two days as there was
        api.post("/api/v1/snapshots/s/restore")
    assert api.events(type="close", device=DEVICE, since=since)
    one = device(lifetime=86400)
    assert [value_of(one.get(SET_PATH)) for _ in range(2)] == [1, 2]
    api.call("DELETE", "/api/v1/snapshots/s")


def test_a_channel_whose_device_a_restore_leaves_alone_stays_open(skymock, device):
    one = device()
    one.post(POST_PATH, measurement())
    skymock.api.post("/api/v1/snapshots", {"name": "s"})
    skymock.api.post("/api/v1/snapshots/s/restore")
    assert one.get(SET_PATH).code == "2.05"
    skymock.api.call("DELETE", "/api/v1/snapshots/s")


def test_so_many_commands_wait_and_no_more(skymock, device):
    one = device()
    one.post(POST_PATH, measurement())
    for value in range(50):
        command(skymock.api, value)
    with pytest.raises(server.ApiError, match="409.*50 messages wait"):
        command(skymock.api, 50)
    assert [value_of(one.get(SET_PATH)) for _ in range(50)] == list(range(50))
    assert (one.get(SET_PATH).code, one.get(SET_PATH).payload) == ("2.05", b"")


def test_a_waiting_application_gets_the_devices_answer(skymock, device):
    one = device()
    one.post(POST_PATH, measurement())
    api = server.Api(skymock.ports["admin"])
    api._connection.request("POST", f"/api/v1/devices/{DEVICE}/commands",
                            json.dumps({"kind": "measurepoint-set", "params": {"Power": 7}}),
                            {"Content-Type": "application/json"})
    skymock.api.wait_event({"type": "note", "device": DEVICE, "topic": SET_PATH[len("/topic"):]})
    got = json.loads(one.get(SET_PATH).payload)
    one.post(f"{SET_PATH}_reply", json.dumps({"id": got["id"], "code": 200, "data": {}}).encode())
    answer = json.loads(api._connection.getresponse().read())
    assert answer["answered"] and answer["id"] == got["id"]
    api.close()


# ---- presence ----

def test_a_device_silent_past_its_lifetime_is_offline_until_it_speaks(skymock, device):
    skymock.api.freeze()
    one = device(lifetime=30)
    one.post(POST_PATH, measurement())
    assert skymock.api.get(f"/api/v1/devices/{DEVICE}")["online"]
    skymock.api.advance(30_000)
    assert not skymock.api.events(type="offline")
    skymock.api.advance(1)
    event = skymock.api.wait_event({"type": "offline", "device": DEVICE})
    assert rules(event) == ["COAP-LIFETIME-EXPIRED"]
    assert not skymock.api.get(f"/api/v1/devices/{DEVICE}")["online"]
    assert one.post(POST_PATH, measurement()).code == "2.04"  # the session is as good as before
    skymock.api.wait_event({"type": "online", "device": DEVICE}, since=event["seq"])
    assert skymock.api.get(f"/api/v1/devices/{DEVICE}")["online"]


def test_sessions_that_nobody_uses_are_let_go(skymock, device):
    skymock.api.freeze()
    one = device()
    one.post(POST_PATH, measurement())
    skymock.api.advance(3 * 24 * 3600 * 1000)
    skymock.api.wait_event({"type": "close", "device": DEVICE, "reason": "idle for too long"})
    assert one.process.wait(server.PATIENCE_S) is not None


def test_the_oldest_of_too_many_sessions_of_a_device_goes(skymock, device):
    sessions = []
    for _ in range(5):
        sessions.append(device())
        assert sessions[-1].post(POST_PATH, measurement()).code == "2.04"
    assert sessions[0].process.wait(server.PATIENCE_S) is not None
    assert all(each.post(POST_PATH, measurement()).code == "2.04" for each in sessions[1:])


@pytest.mark.parametrize("how", ["disconnect", "reset"])
def test_the_application_can_end_a_session(skymock, device, how):
    one = device()
    one.post(POST_PATH, measurement())
    if how == "disconnect":
        skymock.api.post(f"/api/v1/devices/{DEVICE}/disconnect")
    else:
        skymock.api.reset()
    assert one.process.wait(server.PATIENCE_S) is not None
    assert device().post(POST_PATH, measurement()).code == "2.04"


def test_a_good_device_has_a_good_verdict(skymock, device):
    assert device().post(POST_PATH, measurement()).code == "2.04"
    verdict, = skymock.api.verdict(DEVICE)["devices"]
    assert verdict["verdict"] == "passed"
    passed = {rule["id"] for rule in verdict["rules"] if rule["verdict"] == "passed"}
    assert {"COAP-PORT", "COAP-DTLS-REQUIRED", "COAP-PSK-ONLY", "COAP-CIPHER", "COAP-PSK-KEY",
            "COAP-IDENTITY-SHAPE", "COAP-PATH-PREFIX", "COAP-FORMAT"} <= passed


# ---- a bad network ----

def test_every_confirmable_message_counts_once_over_a_bad_network(skymock, relay, device):
    bad = relay(loss=0.1, double=0.1, hold=0.1)
    one = device(port=bad.port)
    for number in range(60):
        answer = one.post(POST_PATH, measurement(number, str(number)), again_s=0.3)
        assert answer.payload.startswith(b'{"id":"%d",' % number)
    assert bad.lost and bad.doubled and bad.held and one.retransmissions
    published = skymock.api.events(type="publish", direction="up", limit=1000)
    assert [each["json"]["id"] for each in published] == [str(number) for number in range(60)]
    assert skymock.api.events(type="coap-request", rule="COAP-MID-REUSE") == []


@pytest.mark.parametrize("program", CLIENTS)
def test_libcoaps_clients_manage_over_a_bad_network(skymock, relay, program):
    bad = relay(loss=0.1, double=0.1, hold=0.1, seed=3)
    said = client(program, bad.port, POST_PATH, "-m", "post", "-e", measurement().decode())
    assert '"code":200' in said
    assert len(skymock.api.events(type="publish", direction="up")) == 1


def test_a_device_that_restarts_on_the_same_port_gets_in_again(skymock, relay, device):
    same_port = relay()
    for value in (1, 2):
        one = device(port=same_port.port)
        assert one.post(POST_PATH, measurement(value)).code == "2.04"
        one.process.kill()  # without a goodbye
    assert len(handshakes(skymock.api)) == 2


def handshakes(api):
    return api.events(type="psk-handshake", device=DEVICE)


def memory_kb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def mutated(rng, datagrams):
    """A datagram that was sent once, damaged; or one that nobody would send."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(1500))
    data = bytearray(rng.choice(datagrams))
    for _ in range(rng.randrange(1, 4)):
        what = rng.randrange(3)
        at = rng.randrange(len(data))
        if what == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            del data[at:]
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        if not data:
            return b"\x16"
    return bytes(data)


def test_a_flood_of_damaged_datagrams_harms_no_session(skymock, relay, device):
    count = int(os.environ.get("SKYMOCK_FLOOD", 20_000))
    rng = random.Random(7)
    between = relay()
    witness, victim = device(name=SECOND), device(port=between.port)
    assert victim.post(POST_PATH, measurement()).code == "2.04"
    witness_path = POST_PATH.replace("tPbZGCdmaE", "second")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", skymock.ports["coaps"]))
        before = None
        for number in range(count):
            data = mutated(rng, between.from_client)
            if number % 2:
                between.inject(data)
            else:
                stranger.send(data)
            if number % 200 == 0:
                skymock.api.barrier()  # so that the kernel's buffer does not do our work
            if number == count // 4:
                before = memory_kb(skymock.process)
    skymock.api.barrier()
    assert memory_kb(skymock.process) < before + 20_000
    assert victim.post(POST_PATH, measurement()).code == "2.04"
    assert witness.post(witness_path, measurement()).code == "2.04"
    assert skymock.api.get("/metrics").count("skymock_coap_channels 2\n") == 1


def test_an_answer_that_blocks_cannot_carry_is_an_error(skymock, device):
    """Attributes of 64 KB and more, posted over MQTT, asked for over CoAP."""
    name = "enos/KV315idW/tPbZGCdmaE"
    topic = "/sys/KV315idW/tPbZGCdmaE/thing/attribute/"
    mqtt = server.Peer(skymock.ports["enos-mqtt"])
    mqtt.send_packet(type="connect", clean=True, keepalive=60, **credentials.enos(name))
    assert mqtt.receive()["code"] == 0
    query = b'{"id":"1","version":"1.0","params":{"attributes":[]},' \
            b'"method":"thing.attribute.query"}'
    for number, code in enumerate(("2.04", "5.00")):
        mqtt.send_packet(type="publish", qos=1, id=1, topic=topic + "update", payload=(
            '{"id":"1","version":"1.0","params":{"attributes":{"a%d":"%s"}},'
            '"method":"thing.attribute.update"}' % (number, 40000 * "x")))
        while mqtt.receive()["type"] != "puback":
            pass
        answer = device(name).post(f"/topic{topic}query", query)
        assert answer.code == code
    skymock.api.wait_event({"type": "note", "name": "answer-too-long"})
    mqtt.close()
