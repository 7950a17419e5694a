"""The fourth cloud: who keeps its rules and who breaks them."""

from stage import login_with, of, plays, publishes

LAMP, DISABLED = "fourth/lamps/lamp1", "fourth/lamps/lamp2"
OWN = "fourth/lamps/lamp1"


@plays(LAMP)
def a_device_that_reports(stage):
    peer = stage.login(LAMP)
    stage.subscribe(peer, f"{OWN}/taken")
    came = stage.publish(peer, f"{OWN}/report", '{"id":7}')
    answer = came[0] if came else peer.receive()
    assert answer["payload"] in (b'{"taken":true,"id":7}', '{"taken":true,"id":7}'), answer


KEEPS = of(a_device_that_reports, """
    FOUR-TOKEN-SHAPE FOUR-TOKEN-RESOURCE FOUR-TOKEN-EXPIRED FOUR-DEVICE-UNKNOWN
    FOUR-DEVICE-DISABLED FOUR-SIGN FOUR-SIGN-PRODUCT-KEY FOUR-SIGN-NOT-HMAC FOUR-SIGN-KEY-FORM
    FOUR-REPORT-JSON""")

BREAKS = {
    "FOUR-TOKEN-SHAPE": login_with(LAMP, packet={"password": "res=products/lamps/devices/lamp1"}),
    "FOUR-TOKEN-RESOURCE": login_with(LAMP, resource="products/lamps/devices/lamp2"),
    "FOUR-TOKEN-EXPIRED": login_with(LAMP, expiry="1548753362"),
    "FOUR-DEVICE-UNKNOWN": login_with(None, name=LAMP, packet={"clientId": "lamp3"}),
    "FOUR-DEVICE-DISABLED": login_with(DISABLED),
    "FOUR-SIGN": login_with(LAMP, packet={
        "password": f"res=products/lamps/devices/lamp1&et=4102444800&sign={43 * 'A'}="}),
    "FOUR-SIGN-PRODUCT-KEY": login_with(LAMP, mistake="product-secret"),
    "FOUR-SIGN-NOT-HMAC": login_with(LAMP, mistake="not-hmac"),
    "FOUR-SIGN-KEY-FORM": login_with(LAMP, mistake="key-decoded"),
    "FOUR-REPORT-JSON": publishes(LAMP, f"{OWN}/report", "no object"),
}
