"""Lists that take more than one turn of the loop are whole all the same."""
import json
import socket

import credentials
import pytest
import server

DEVICES = 1000
FAULTS = 300
PRODUCTS = 4  # the devices lie in so many


def name_of(number):
    return f"aliyun/pk{number % PRODUCTS}/device{number:05}"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """A server with many devices, each of which broke a rule."""
    path = tmp_path_factory.mktemp("crowd") / "fixtures.json"
    names = [name_of(number).split("/") for number in range(DEVICES)]
    path.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": f"pk{place}", "productSecret": "unused",
         "devices": [{"deviceName": device, "deviceSecret": "secret"}
                     for _, product, device in names if product == f"pk{place}"]}
        for place in range(PRODUCTS)]}))
    skymock = server.Skymock("--quiet", fixtures=path)
    for number in range(DEVICES):
        device = server.Peer(skymock.ports["mqtt"])
        device.send_packet(type="connect", clean=True, keepalive=300, **credentials.aliyun(
            name_of(number), secret="another", cid=str(number)))
        assert device.receive()["code"] != 0
        device.close()
    yield skymock
    skymock.stop()


def test_devices_come_whole_and_in_order(crowd):
    answer = crowd.api.get("/api/v1/devices", limit=DEVICES)
    found = [device["name"] for device in answer["devices"]]
    assert answer["next"] is None and found == sorted(found)
    assert set(found) == {name_of(number) for number in range(DEVICES)}
    answer = crowd.api.get("/api/v1/devices", limit=DEVICES - 1)
    assert answer["next"] == found[-2] and len(answer["devices"]) == DEVICES - 1
    answer = crowd.api.get("/api/v1/devices", limit=DEVICES, after=found[9], product="aliyun/pk0")
    assert [device["name"] for device in answer["devices"]] == [
        name for name in found[10:] if name.startswith("aliyun/pk0/")]


def test_few_devices_are_found_among_many(crowd):
    found = crowd.api.get("/api/v1/devices", text="PK3/device0009")["devices"]
    assert [device["name"] for device in found] == [
        name_of(number) for number in range(90, 100) if number % PRODUCTS == 3]
    assert crowd.api.get("/api/v1/devices", online="true") == {"devices": [], "next": None}
    answer = crowd.api.get("/api/v1/devices", limit=1, text="00999", online="false")
    assert answer["next"] is None and answer["devices"][0]["name"] == name_of(999)


def test_verdicts_tell_of_everybody_once(crowd):
    answer = crowd.api.get("/api/v1/verdicts")
    assert answer["verdict"] == "failed"
    assert [device["device"] for device in answer["devices"]] == [
        name_of(number) for number in range(DEVICES)]
    assert all(device["rules"] and device["verdict"] == "failed" for device in answer["devices"])
    answer = crowd.api.get("/api/v1/verdicts", product="aliyun/pk1")
    assert len(answer["devices"]) == DEVICES // PRODUCTS


def test_the_newest_events_come_first(crowd):
    last = crowd.api.last_seq()
    events = crowd.api.get("/api/v1/events", order="desc", limit=1000)["events"]
    assert [event["seq"] for event in events] == list(range(last, last - 1000, -1))


@pytest.mark.parametrize("query", [{"type": "connack"}, {"refused": "true"},
                                   {"text": "pk1/DEVICE0000"}, {"text": "device00001&PK1"}])
def test_what_went_before_is_whole_however_far_it_is(crowd, query):
    since, wanted = 0, []
    while True:
        answer = crowd.api.get("/api/v1/events", since=since, limit=1000, **query)
        if not answer["events"]:
            break
        wanted += [event["seq"] for event in answer["events"]]
        since = answer["next"]
    before, seen = {}, []
    while True:
        events = crowd.api.get("/api/v1/events", order="desc", limit=700, **before, **query)["events"]
        if not events:
            break
        seen += [event["seq"] for event in events]
        before = {"before": seen[-1]}
    assert wanted and seen == wanted[::-1]


def test_faults_come_whole_and_in_order(crowd):
    made = [crowd.api.post("/api/v1/faults", {"point": "puback-down", "action": "withhold",
                                              "product": f"aliyun/pk{number % PRODUCTS}"})["id"]
            for number in range(FAULTS)]
    assert [fault["id"] for fault in crowd.api.get("/api/v1/faults")["faults"]] == made
    answer = crowd.api.get("/api/v1/faults", product="aliyun/pk1")
    assert [fault["id"] for fault in answer["faults"]] == made[1::PRODUCTS]


@pytest.mark.parametrize("path", ["devices?limit=1000", "verdicts", "faults",
                                  "events?limit=1000&order=desc"])
def test_who_asks_may_go_at_any_time(crowd, path):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", crowd.ports["admin"])) as client:
            client.sendall(f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert crowd.api.get("/health")
