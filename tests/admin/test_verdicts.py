"""Rules and verdicts."""
from urllib.parse import quote
from xml.etree import ElementTree

DEVICE = "aliyun/pk/device"


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
    cases = {case.get("name").split(":")[0]: case for case in suite}
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
