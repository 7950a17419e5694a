"""Back to the beginning."""

DEVICE = "/api/v1/devices/aliyun/pk/device"


def test_reset_forgets_events_sessions_and_changes(api, online):
    device = online("aliyun/pk/device")
    last = api.last_seq()
    api.call("PATCH", DEVICE, {"secret": "other", "enabled": False})
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "extra"})
    assert api.request("POST", "/api/v1/reset")[0] == 204
    assert device.receive() is None
    assert api.events()[0]["type"] == "reset"
    assert api.events()[0]["seq"] > last
    assert api.get(DEVICE, secrets="true")["secret"] == "secret"
    assert api.get(DEVICE)["enabled"]
    assert api.request("GET", "/api/v1/devices/aliyun/pk/extra")[0] == 404
    assert api.get("/api/v1/verdicts")["verdict"] == "not exercised"


def test_reset_of_one_device_leaves_the_others(api, online):
    online("aliyun/pk/device")
    second = online("aliyun/pk/second")
    assert api.request("POST", "/api/v1/reset", {"device": "aliyun/pk/device"})[0] == 204
    assert api.verdict("aliyun/pk/device")["verdict"] == "not exercised"
    assert api.verdict("aliyun/pk/second")["verdict"] == "passed"
    assert api.get("/api/v1/devices/aliyun/pk/second")["online"]
    second.send_packet(type="pingreq")
    assert second.receive()["type"] == "pingresp"


def test_reset_of_what_has_no_beginning(api, refused):
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "extra"})
    refused(409, "POST", "/api/v1/reset", {"device": "aliyun/pk/extra"})
    refused(404, "POST", "/api/v1/reset", {"device": "aliyun/pk/nobody"})
    assert refused(400, "POST", "/api/v1/reset", {"device": 7})["pointer"] == "/device"
    assert refused(400, "POST", "/api/v1/reset", {"all": True})["pointer"] == "/all"
