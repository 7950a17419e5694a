"""A step that wants the device there waits for it, as long as its case does."""

import time

import credentials
import server

NAME = "aliyun/pk/device"
RUNS = "/api/v1/suites/runs"
TOPIC = "/pk/device/user/get"


def case(*steps, timeout_ms=20000):
    return {"suite": "s", "cases": [{"id": "c", "timeoutMs": timeout_ms, "steps": list(steps)}]}


def look(api, number, condition):
    until = time.monotonic() + server.PATIENCE_S
    while not condition(one := api.get(f"{RUNS}/{number}")["cases"][0]):
        assert time.monotonic() < until, one
        time.sleep(0.02)
    return one


def log_in(peer):
    device = peer(credentials.listeners(NAME, "mqtt")[0])
    device.send_packet(type="connect", clean=True, keepalive=60, **credentials.login(NAME))
    assert device.receive()["code"] == 0
    return device


def test_for_a_topic_and_for_a_device_that_is_away(api, peer):
    log_in(peer).close()
    run = api.post(RUNS, {"suite": case(
        {"do": "message", "message": {"topic": "${topic}", "payload": "{}", "qos": 1}},
        {"expect": {"event": {"type": "puback", "direction": "up"}}}), "device": NAME})["id"]
    look(api, run, lambda one: one.get("step", {}).get("name") == "message")
    device = log_in(peer)
    look(api, run, lambda one: one.get("step", {}).get("name") == "message")
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 1]])
    assert device.receive()["type"] == "suback"
    told = device.receive()
    assert (told["type"], told["topic"]) == ("publish", TOPIC)
    device.send_packet(type="puback", id=told["id"])
    ended = look(api, run, lambda one: one["state"] == "ended")
    assert ended["verdict"] == "passed" and "reason" not in ended


def test_and_says_what_it_waited_for(api, peer):
    device = log_in(peer)
    for text, reason in ({"topic": "${topic}"}, "subscribes to nothing"), \
            ({"topic": TOPIC}, "does not subscribe to"):
        run = api.post(RUNS, {"suite": case(
            {"do": "message", "message": text}, {"expect": {"event": {"type": "publish"}}},
            timeout_ms=500), "device": NAME})["id"]
        look(api, run, lambda one: one.get("step", {}).get("name") == "message")
        device.send_packet(type="pingreq")
        device.receive()
        ended = look(api, run, lambda one: one["state"] == "ended")
        assert ended["verdict"] == "not exercised" and reason in ended["reason"], ended
