"""Virtual time."""

import time

import pytest

CLOCK = "/api/v1/clock"
END = 253402300799999  # of the year 9999
DAY = 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def real_time(api):
    yield
    api.reset()


def test_freeze_stops_and_resume_goes_on(api):
    frozen = api.freeze()
    assert frozen["frozen"]
    assert api.get(CLOCK)["unixMs"] == frozen["unixMs"]
    resumed = api.post(CLOCK + "/resume")
    assert not resumed["frozen"]
    assert resumed["unixMs"] >= frozen["unixMs"]


def test_advance_moves_exactly_so_far(api):
    before = api.freeze()
    after = api.advance(3600 * 1000)
    assert after["unixMs"] - before["unixMs"] == 3600 * 1000
    assert after["frozen"]


def test_advance_answers_when_everything_due_has_happened(api, online):
    since = api.last_seq()
    device = online("aliyun/pk/device")
    api.freeze()
    api.advance(10 * 60 * 1000)
    told = api.events(since=since, type="timeout")
    assert len(told) == 1 and told[0]["device"] == "aliyun/pk/device"
    assert device.receive() is None


def test_set_jumps(api):
    api.freeze()
    assert api.post(CLOCK + "/set", {"unixMs": 0})["time"] == "1970-01-01T00:00:00.000Z"
    top = api.post(CLOCK + "/set", {"unixMs": 253402300799999})
    assert top["time"] == "9999-12-31T23:59:59.999Z"
    api.post(CLOCK + "/set", {"unixMs": api.get(CLOCK)["realUnixMs"]})


def test_events_have_both_times(api):
    api.freeze()
    api.post(CLOCK + "/set", {"unixMs": 86400000})
    event = api.events(order="desc", limit=1)[0]
    assert event["time"] == "1970-01-02T00:00:00.000Z"
    assert event["realTime"] > "2020"
    api.post(CLOCK + "/set", {"unixMs": api.get(CLOCK)["realUnixMs"]})


def test_what_makes_no_sense_is_refused(refused):
    for path, body in (("advance", {}), ("advance", {"ms": -1}), ("advance", {"ms": 1.5}),
                       ("advance", {"ms": "1"}), ("advance", {"ms": 3153600000001}),
                       ("set", {}), ("set", {"unixMs": -1}), ("set", {"unixMs": 253402300800000}),
                       ("freeze", {"at": 1}), ("resume", {"at": 1})):
        refused(400, "POST", f"{CLOCK}/{path}", body)
    assert refused(400, "POST", CLOCK + "/advance", {"ms": -1})["pointer"] == "/ms"


def test_advance_ends_with_the_year_9999(api, refused):
    api.freeze()
    api.post(CLOCK + "/set", {"unixMs": END - 10})
    error = refused(400, "POST", CLOCK + "/advance", {"ms": 11})
    assert error["pointer"] == "/ms" and "by 10 at most" in error["message"]
    assert api.get(CLOCK)["unixMs"] == END - 10
    assert api.advance(10)["time"] == "9999-12-31T23:59:59.999Z"
    api.post(CLOCK + "/resume")
    assert api.get(CLOCK)["unixMs"] == END


def test_a_reset_of_everything_puts_the_clock_back(api):
    api.freeze()
    api.post(CLOCK + "/set", {"unixMs": 86400000})
    api.post("/api/v1/reset", {"device": "aliyun/pk/device"})
    assert api.get(CLOCK)["unixMs"] == 86400000
    api.reset()
    clock = api.get(CLOCK)
    assert not clock["frozen"] and clock["unixMs"] == clock["realUnixMs"]


# ---- set backwards, everything that lasts has the time left that it had ----

def set_back(api):
    api.post(CLOCK + "/set", {"unixMs": api.get(CLOCK)["unixMs"] - DAY})


def test_a_keepalive_ends_as_long_after_the_last_packet_as_ever(api, online):
    api.freeze()
    device = online("aliyun/pk/device")
    api.advance(10 * 1000)
    set_back(api)
    api.advance(79999)
    device.send_packet(type="pingreq")
    assert device.receive()["type"] == "pingresp"
    set_back(api)
    api.advance(89999)
    assert not api.events(type="timeout")
    api.advance(1)
    assert device.receive() is None
    assert api.wait_event({"type": "timeout", "device": "aliyun/pk/device"})


def test_what_waits_grows_old_as_ever(api, online):
    """The cloud keeps a message for a device that is away for seven days."""
    api.freeze()
    topic = "/broadcast/pk/news"
    for days_after, kept in ((0, True), (8, False)):
        device = online("aliyun/pk/device", clean=False)
        device.send_packet(type="subscribe", id=1, filters=[[topic, 1]])
        assert device.receive()["type"] == "suback"
        device.send_packet(type="disconnect")
        assert device.receive() is None
        api.post("/api/v1/devices/aliyun/pk/device/messages",
                 {"topic": topic, "payload": str(days_after), "qos": 1})
        set_back(api)
        api.advance(days_after * DAY)
        device = online("aliyun/pk/device", clean=False)
        device.send_packet(type="pingreq")
        packet = device.receive()
        assert (packet["type"] == "publish") == kept, packet
        device.close()
        api.reset()
        api.freeze()


# ---- the rate of a device is judged by the clock that went on ----

def burst(device, count, first=0):
    for number in range(first, first + count):
        device.send_packet(type="publish", qos=0, topic="/pk/device/user/update",
                           payload=str(number))
    device.send_packet(type="pingreq")
    assert device.receive()["type"] == "pingresp"


def too_fast(api):
    return [finding for event in api.events(type="publish", limit=1000)
            for finding in event.get("findings", []) if finding["rule"] == "ALI-PUBLISH-RATE"]


def test_a_calm_device_under_a_frozen_clock_is_not_too_fast(api, online):
    api.freeze()
    device = online("aliyun/pk/device")
    for number in range(3):
        burst(device, 20, 20 * number)
        time.sleep(1.01)
    assert not too_fast(api)


def test_a_burst_under_a_frozen_clock_is_too_fast(api, online):
    api.freeze()
    burst(online("aliyun/pk/device"), 60)
    assert len(too_fast(api)) == 1


def test_a_burst_between_jumps_of_the_clock_is_not_too_fast(api, online):
    api.freeze()
    device = online("aliyun/pk/device")
    for number in range(4):
        burst(device, 20, 20 * number)
        api.advance(1000)
    assert not too_fast(api)
    for number in range(4):
        burst(device, 20, 20 * number)
        api.advance(100)
    assert len(too_fast(api)) == 1

