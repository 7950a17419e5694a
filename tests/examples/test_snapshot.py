"""Back to a moment: whatever the test has done to the cloud since then is undone."""

PRODUCT = "tencent/EXAMPLE001"
SHADOW = f"devices/{PRODUCT}/lamp/shadow"  # of devices.json: what is temporary goes with a restore


def test_back_to_the_shadow_of_before(skymock):
    skymock.api("PATCH", SHADOW, {"desired": {"on": True}})
    skymock.snapshot("lamp-wanted-on", product=PRODUCT)
    skymock.api("PATCH", SHADOW, {"desired": {"on": False, "color": "red"}})

    skymock.restore("lamp-wanted-on")
    assert skymock.api("GET", SHADOW)["state"]["desired"] == {"on": True}
