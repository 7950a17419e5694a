"""Points and actions as the server has them, found out by asking it for every pair. As a program it
writes their table in server/fault/README.md anew."""

import server

POINTS = """accept handshake connect connack publish-up puback-down publish-down puback-up subscribe
suback unsubscribe unsuback pingreq pingresp disconnect reply http-answer coap-answer datagram-up
datagram-down""".split()
PAGE = server.ROOT / "server/fault/README.md"
ACTIONS = """withhold delay reorder duplicate set corrupt cut close reset freeze drip
certificate""".split()
ARGUMENTS = {"delay": {"ms": 100}, "reorder": {"ms": 100}, "cut": {"at": 1},
             "drip": {"bytesPerS": 100}, "certificate": {"kind": "expired"}}
FIELDS = {"connack": {"code": 3}, "publish-down": {"payload": "x"}, "reply": {"payload": "x"},
          "http-answer": {"status": 500}, "coap-answer": {"status": 500}}


def arguments(point, action):
    return FIELDS.get(point, {"packetId": 9}) if action == "set" else ARGUMENTS.get(action, {})


def ask(api):
    """{(point, action): None, or why it cannot be done}"""
    found = {}
    for point in POINTS:
        for action in ACTIONS:
            status, answer = api.request("POST", "/api/v1/faults", {
                "point": point, "action": action, **arguments(point, action)})
            assert status in (201, 400), answer
            if status == 400:
                assert answer["error"]["pointer"] == "/action", answer
                _, _, found[point, action] = answer["error"]["message"].partition(": ")
            else:
                found[point, action] = None
                api.call("DELETE", f"/api/v1/faults/{answer['id']}")
    return found


def table(found):
    """As the page has it."""
    lines = ["| | " + " | ".join(f"`{action}`" for action in ACTIONS) + " |",
             "|---|" + "---|" * len(ACTIONS)]
    reasons = []
    for point in POINTS:
        cells = []
        for action in ACTIONS:
            why = found[point, action]
            if why and why not in reasons:
                reasons.append(why)
            cells.append(str(reasons.index(why) + 1) if why else "✓")
        lines.append(f"| `{point}` | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"{number}. {why}" for number, why in enumerate(reasons, 1)]
    return "\n".join(lines)


def main():
    """Puts the table into the page, as the server has it."""
    running = server.Skymock()
    try:
        found = ask(running.api)
    finally:
        running.stop()
    text = PAGE.read_text()
    start = text.index("| | `withhold`")
    end = text.index("\n\n", text.index("\n\n", start) + 2)  # behind the reasons
    PAGE.write_text(text[:start] + table(found) + text[end:])


if __name__ == "__main__":
    main()
