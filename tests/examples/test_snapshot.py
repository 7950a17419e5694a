"""Back to a moment: whatever the test has done to the cloud since then is undone."""

from cloud import call

LAMP = "devices/tencent/EXAMPLE001/lamp"


def test_back_to_the_shadow_of_before():
    call("PATCH", f"{LAMP}/shadow", {"desired": {"on": True}})
    call("POST", "snapshots", {"name": "lamp-wanted-on", "product": "tencent/EXAMPLE001"})
    call("PATCH", f"{LAMP}/shadow", {"desired": {"on": False, "color": "red"}})

    call("POST", "snapshots/lamp-wanted-on/restore")
    shadow = call("GET", f"{LAMP}/shadow")
    assert shadow["state"]["desired"] == {"on": True}
    call("DELETE", "snapshots/lamp-wanted-on")
