"""Whom a refused login is about, in its event."""

import credentials
import pytest


@pytest.mark.parametrize("client_id, product, key", [
    ("PROD123456nobody", "PROD123456", "nobody"),        # the registry knows the product
    ("PROD123456dev001", "PROD123456", "dev001"),        # and the device, with a wrong token
    ("NOSUCH1234dev001", "NOSUCH1234", "dev001"),        # ten characters are a product id
    ("SHORT", "SHORT", "")])
def test_a_refused_login_shows_product_and_device_apart(peer, api, client_id, product, key):
    since = api.last_seq()
    device = peer("mqtt")
    device.send_packet(type="connect", clean=True, keepalive=60, **{
        **credentials.tencent("tencent/PROD123456/dev001"), "clientId": client_id,
        "username": f"{client_id};12010126;A1B2C;2147483647", "password": 64 * "0" + ";hmacsha256"})
    assert device.receive()["code"] != 0
    event = api.wait_event({"type": "connect"}, since=since)
    assert (event["product"], event.get("deviceKey", "")) == (product, key)
