"""Virtual time."""

CLOCK = "/api/v1/clock"


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
