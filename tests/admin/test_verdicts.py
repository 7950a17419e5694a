"""Rules and verdicts."""
import json
import socket
import time
from urllib.parse import quote
from xml.etree import ElementTree

import credentials
import pytest
import server

DEVICE = "aliyun/pk/device"
STRANGERS_MAX = 500  # server/registry/conduct.h


def test_rules_have_ids_sources_and_actions(api):
    rules = api.get("/api/v1/rules")["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(set(ids)) == len(ids) > 50
    for rule in rules:
        assert rule["statement"] and rule["source"] and rule["owner"]
        assert rule["severity"] in ("error", "warning", "info")
        assert rule["action"] in ("enforce", "report", "off")


def test_nothing_seen_is_never_green(api):
    assert api.get("/api/v1/verdicts") == {"devices": [], "verdict": "not exercised"}
    answer = api.verdict(DEVICE)
    assert answer["verdict"] == "not exercised"
    assert {rule["verdict"] for rule in answer["devices"][0]["rules"]} == {"not exercised"}


def test_a_device_that_keeps_the_rules_passes(api, online):
    online(DEVICE)
    answer = api.verdict(DEVICE)
    verdicts = {rule["verdict"] for rule in answer["devices"][0]["rules"]}
    assert answer["verdict"] == "passed"
    assert verdicts == {"passed", "not exercised"}
    assert api.get("/api/v1/verdicts")["verdict"] == "passed"


def test_a_broken_rule_fails_and_is_proven(api, online):
    since = api.last_seq()
    device = online(DEVICE)
    device.send_packet(type="publish", qos=2, id=1, topic="/pk/device/user/both", payload="x")
    assert device.receive() is None
    told = api.wait_event({"type": "publish", "device": DEVICE}, since=since)
    answer = api.get("/api/v1/verdicts")
    assert answer["verdict"] == "failed"
    broken = answer["devices"][0]["rules"][0]
    assert broken["id"] == told["findings"][0]["rule"] and broken["verdict"] == "failed"
    assert broken["events"] == [told["seq"]] and broken["count"] == 1
    assert broken["detail"] == told["findings"][0]["detail"]


def test_one_device_does_not_answer_for_another(api, online):
    device = online(DEVICE)
    device.send_packet(type="publish", qos=2, id=1, topic="/pk/device/user/both", payload="x")
    assert device.receive() is None
    online("aliyun/pk/second")
    assert api.verdict("aliyun/pk/second")["verdict"] == "passed"


def test_rules_of_other_clouds_do_not_concern_a_device(api, online):
    online(DEVICE)
    owners = {rule["owner"] for rule in api.verdict(DEVICE)["devices"][0]["rules"]}
    assert "aliyun" in owners and "tencent" not in owners and "enos" not in owners


def test_verdict_of_nobody(refused):
    refused(404, "GET", "/api/v1/verdicts", device="aliyun/pk/nobody")
    refused(400, "GET", "/api/v1/verdicts", device="nobody")


def test_junit_shows_every_rule_of_every_device_seen(api, online):
    device = online(DEVICE)
    device.send_packet(type="publish", qos=2, id=1, topic="/pk/device/user/both", payload="x")
    assert device.receive() is None
    status, body = api.request("GET", "/api/v1/report.xml")
    assert status == 200
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(body)}
    assert list(suites) == [DEVICE]
    suite = suites[DEVICE]
    cases = {case.get("name").split(":")[0]: case for case in suite.iter("testcase")}
    assert len(cases) == int(suite.get("tests"))
    assert cases["ALI-QOS2"].find("failure") is not None
    assert cases["ALI-SIGN"].find("failure") is None and len(cases["ALI-SIGN"]) == 0
    assert cases["ALI-HTTPS-SIGN"].find("skipped") is not None
    assert int(suite.get("failures")) == sum(case.find("failure") is not None for case in suite)


def test_junit_holds_names_that_xml_cannot(api, peer):
    name = "p\ufffeu\uffffm\u00fcp\u4e2d\U0001f600<\">"
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": name})
    login = api.get(f"/api/v1/devices/aliyun/pk/{quote(name)}/credentials")
    device = peer()
    device.send_packet(type="connect", keepalive=60, **{
        key: login[key] for key in ("clientId", "username", "password")})
    assert device.receive()["code"] == 0
    _, body = api.request("GET", "/api/v1/report.xml")
    names = {suite.get("name") for suite in ElementTree.fromstring(body)}
    assert "aliyun/pk/p?u?m\u00fcp\u4e2d\U0001f600<\">" in names


# ---- refused, and nobody's ----

def rows(verdicts):
    """Verdicts by name, with their broken rules by id."""
    return {each["device"]: {rule["id"]: rule for rule in each["rules"]}
            for each in verdicts["devices"]}


@pytest.mark.parametrize("device", ["aliyun/pk/device", "tencent/PROD123456/dev001",
                                    "enos/KV315idW/tPbZGCdmaE"])
def test_a_device_that_is_turned_away_fails_whatever_the_severity(api, peer, device):
    turned_away = peer(credentials.listeners(device, "mqtt")[0])
    turned_away.send_packet(type="connect", keepalive=60,
                            will={"topic": "a", "payload": "b", "qos": 0, "retain": False},
                            **credentials.login(device))
    assert turned_away.receive()["code"] == 5
    answer = api.get("/api/v1/verdicts")
    rule, = (rule for id, rule in rows(answer)[device].items() if id.endswith("-WILL"))
    assert rule["verdict"] == "failed" and rule["refused"] and answer["verdict"] == "failed"


@pytest.mark.parametrize("device,topic", [
    ("aliyun/pk/device", "/pk/device/user/both"),
    ("tencent/PROD123456/dev001", "PROD123456/dev001/control"),
    ("enos/KV315idW/tPbZGCdmaE", "/sys/KV315idW/tPbZGCdmaE/thing/service/property/set")])
def test_a_filter_that_is_refused_for_its_qos_fails(api, online, device, topic):
    subscriber = online(device)
    subscriber.send_packet(type="subscribe", id=1, filters=[[topic, 2]])
    assert subscriber.receive()["codes"] == [0x80]
    assert api.get("/api/v1/verdicts")["verdict"] == "failed"


def test_a_warning_that_refused_nothing_warns(api, online):
    device = online(DEVICE)
    device.send_packet(type="publish", topic="/pk/device/user/both", payload="x", retain=True)
    api.wait_event({"type": "publish", "rules": ["ALI-RETAIN"]})
    answer = api.get("/api/v1/verdicts")
    assert answer["verdict"] == "warned" and not rows(answer)[DEVICE]["ALI-RETAIN"]["refused"]


def changed(login, old, new):
    return {key: value.replace(old, new) if key in ("clientId", "username") else value
            for key, value in login.items()}


def test_strangers_are_shown_under_what_they_claimed_to_be(api, peer):
    for connect in (changed(credentials.login(DEVICE), "device", "devicf"),
                    {"clientId": "a\x01/\\\u00fc<", "username": "", "password": ""}):
        peer().send_packet(type="connect", keepalive=60, **connect)
    api.wait_event({"type": "connack"})
    wanted = {"aliyun/pk/devicf", "client id a\\x01\\x2f\\x5c\u00fc<"}
    events = api.events(type="connect", wait_ms=5000, count=2)
    found = api.get("/api/v1/verdicts")
    assert {each["device"] for each in found["devices"]} == wanted
    assert {each["verdict"] for each in found["devices"]} == {"failed"} == {found["verdict"]}
    assert not any(each["registered"] for each in found["devices"])
    proven = {seq for rules in rows(found).values() for rule in rules.values()
              for seq in rule["events"]}
    assert proven == {event["seq"] for event in events}
    assert api.verdict("aliyun/pk/devicf")["verdict"] == "failed"


def test_the_recognised_mistake_stands_in_the_verdict(api, peer):
    login = credentials.login(DEVICE)
    peer_one = peer()
    peer_one.send_packet(type="connect", keepalive=60, **{**login, "password": "secret"})
    assert peer_one.receive()["code"] == 4
    told = api.events(type="connect")[0]["explanation"]
    broken = [rule for rule in rows(api.get("/api/v1/verdicts"))[DEVICE].values()
              if "mistake" in rule]
    assert [rule["mistake"] for rule in broken] == [told["mistake"]]
    assert told["what"] in (broken[0]["detail"], broken[0].get("what"))


@pytest.mark.parametrize("listener,junk,rule", [
    ("mqtt", b"\x10\x02zz", "MQTT-PACKET-TRUNCATED"),
    ("mqtt", b"\x99\x02zz", "MQTT-PACKET-DIRECTION"),
    ("https", b"GARBAGE\r\n\r\n", "DOOR-HTTP-REQUEST"),
    ("mqtts", b"\x16\x03\x01\x00\x05hello", "TLS-HANDSHAKE")])
def test_malformed_peers_are_shown_under_their_listener(api, peer, listener, junk, rule):
    speaker = peer(listener)
    speaker.send(junk)
    speaker.socket.shutdown(socket.SHUT_WR)
    seq = api.wait_event({"rules": [rule]})["seq"]
    found = api.get("/api/v1/verdicts")
    assert list(rows(found)) == [f"listener {listener}"] and found["verdict"] == "failed"
    assert rows(found)[f"listener {listener}"][rule]["events"] == [seq]


def test_a_datagram_that_is_no_handshake_is_shown(api, skymock):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hello", ("127.0.0.1", skymock.ports["coaps"]))
        api.wait_event({"rules": ["COAP-DTLS-REQUIRED"]})
    assert rows(api.get("/api/v1/verdicts"))["listener coaps"]["COAP-DTLS-REQUIRED"]


def test_so_many_strangers_are_kept_and_the_loss_is_shown(api, peer):
    def knock(numbers):
        for i in numbers:
            peer_one = peer()
            peer_one.send_packet(type="connect", keepalive=60, clientId=f"stranger {i}")
            assert peer_one.receive()["code"] != 0
            peer_one.close()

    api.post("/api/v1/reset", {"forget": True})  # the run has others
    knock(range(STRANGERS_MAX))
    found = api.get("/api/v1/verdicts")
    assert len(found["devices"]) == STRANGERS_MAX and "lost" not in found
    knock([STRANGERS_MAX])
    found = api.get("/api/v1/verdicts")
    assert len(found["devices"]) == STRANGERS_MAX and found["lost"] == 1
    assert "client id stranger 0" not in rows(found)
    assert f"client id stranger {STRANGERS_MAX}" in rows(found)


def test_first_and_last_events_prove_a_rule(api, online):
    device = online(DEVICE)
    for i in range(30):
        device.send_packet(type="publish", topic="/elsewhere", payload=str(i))
    device.send_packet(type="pingreq")
    device.receive()
    seqs = [event["seq"] for event in api.events(rule="ALI-TOPIC-PUB", limit=1000)]
    rule = rows(api.get("/api/v1/verdicts"))[DEVICE]["ALI-TOPIC-PUB"]
    assert rule["count"] == 30 and rule["events"] == seqs[:9] + seqs[-1:]


def test_one_keepalive_breaks_one_rule(api, peer):
    device = "tencent/PROD123456/dev001"
    for keepalive, rule in ((301, "MQTT-KEEPALIVE-RANGE"), (901, "TEN-KEEPALIVE-RANGE")):
        api.reset()
        login = peer()
        login.send_packet(type="connect", keepalive=keepalive, **credentials.login(device))
        assert login.receive()["code"] == 2
        broken = rows(api.get("/api/v1/verdicts"))[device]
        assert list(broken) == [rule] and broken[rule]["refused"]


def test_verdicts_of_a_product(api, online, refused):
    online(DEVICE)
    online("tencent/PROD123456/dev001")
    found = api.get("/api/v1/verdicts", product="aliyun/pk")
    assert [each["device"] for each in found["devices"]] == [DEVICE]
    assert api.get("/api/v1/verdicts", product="aliyun/p")["devices"] == []
    for query in ({"product": "pk"}, {"product": "aliyun/pk/device"},
                  {"product": "aliyun/pk", "device": DEVICE}):
        refused(400, "GET", "/api/v1/verdicts", **query)
        refused(400, "GET", "/api/v1/report.xml", **query)


def test_junit_shows_strangers_with_mistake_and_events(api, peer):
    peer().send_packet(type="connect", keepalive=60, clientId="no\x02body\ufffe")
    seq = api.wait_event({"type": "connect"})["seq"]
    suite, = ElementTree.fromstring(api.request("GET", "/api/v1/report.xml")[1])
    assert suite.get("name").startswith("client id no\\x02body")
    failure = suite.find("testcase/failure")
    assert f"events (1): {seq}" in failure.text and "found: " in failure.text
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0


def test_junit_of_many_is_whole(start, tmp_path):
    """More than an answer of one piece may hold."""
    count = 3500
    devices = [{"deviceName": f"device-with-a-long-name-{i:04}", "deviceSecret": "secret"}
               for i in range(count)]
    fixtures = tmp_path / "many.json"
    fixtures.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": "many", "productSecret": "s", "devices": devices}]}))
    running = start("--fixtures", str(fixtures))
    status, body = running.api.request("GET", "/api/v1/report.xml")
    assert status == 200 and len(ElementTree.fromstring(body)) == 0
    for i in range(count):
        login = running.api.get(
            f"/api/v1/devices/aliyun/many/device-with-a-long-name-{i:04}/credentials")
        device = server.Peer(running.ports["mqtt"])
        device.send_packet(type="connect", keepalive=60, **{
            key: login[key] for key in ("clientId", "username", "password")})
        assert device.receive()["code"] == 0
        device.close()
    began = time.monotonic()
    status, body = running.api.request("GET", "/api/v1/report.xml")
    print(f"{len(body)} bytes in {time.monotonic() - began:.2f} s")
    assert status == 200 and len(body) > 64 << 20
    assert len(ElementTree.fromstring(body)) == count
