"""What devices do wrong in the cases of the suite `connect`."""

import time

from habits import breaks


def say_at_once(device):
    device.publish(*device.telemetry())


def say_once_and_leave(device):
    device.publish(*device.telemetry(), qos=1)
    device.leave()


def taking_pieces_for_broken(device):
    if device.client._in_packet["command"] and not device.code:
        raise OSError("half a CONNACK")


def at_once_after(refused):
    """A function for `backoff`."""
    def backoff(device):
        return 0.005 if device.code == refused else type(device).backoff(device)
    return backoff


def ask_again(device, topic, granted):
    if granted == 0x80:
        device.subscribe(topic)


def keep_open(device):
    """The socket stays behind, open, and there is another."""
    device.__dict__.setdefault("left", []).append(device.client._sock)
    device.client._sock = None


def for_ever(_device, _ended_by=None):
    time.sleep(1e6)


def give_up(device):
    """A function for `backoff`: it does not try again where TCP was not answered."""
    if device.connections > 1 and device.code is None:
        time.sleep(1e6)
    return type(device).backoff(device)


def say_it_twice(device):
    """Each message again most of a second later, acknowledged or not."""
    now, said = time.monotonic(), device.done_so_far.setdefault("said", [])
    topic, payload = device.telemetry()
    said.append((now, device.publish(topic, payload, qos=1), topic.encode(), payload.encode()))
    if now - said[0][0] > 0.7:
        _, *message = said.pop(0)
        device.client._send_publish(*message, 1, False, True)


def other_login(device):
    """Behind a CONNECT that was not answered."""
    device.keepalive = type(device).keepalive if device.code is not None else 20
    return type(device).backoff(device)


def forget_what_was_said(device):
    device.client._out_messages.clear()
    type(device).on_connecting(device)


def retain_what_waited(device):
    """What went unacknowledged for a while, and not just until the connection broke, is asked to be
    retained when it is sent again."""
    for packet_id, since in device.unacknowledged.items():
        if time.monotonic() - since > 0.25 and packet_id in device.client._out_messages:
            device.client._out_messages[packet_id].retain = True
    type(device).let_go(device)


BREAKS = {
    "connects-once": breaks("leaves when it has said something, and comes back",
                            say=say_once_and_leave, backoff=lambda device: 0.3),
    "waits-for-connack": breaks("publishes before the CONNACK", "warned",
                                on_connecting=say_at_once),
    "connack-withheld": breaks("waits for a CONNACK for ever", connack_patience=1e6),
    "connack-delayed": breaks("does not wait for a CONNACK longer than 0.1 s",
                              connack_patience=0.1),
    "connack-in-pieces": breaks("takes a CONNACK that comes in pieces for a broken one",
                                heard_nothing=taking_pieces_for_broken),
    **{f"connack-refused-{code}": breaks(f"tries again at once when it is refused with {code}",
                                         backoff=at_once_after(code)) for code in range(1, 6)},
    "connect-repeated": breaks("asks for a keepalive of 20 s when it has to try again",
                               backoff=other_login),
    "tcp-silent": breaks("waits for a server that accepts and says nothing for ever",
                         connack_patience=1e6, connect_patience=1e6),
    "tcp-closed": breaks("does not try again when a server closes at once",
                         backoff=give_up),
    "lets-go": breaks("leaves the old connection open when it makes a new one", let_go=keep_open),
    "suback-withheld": breaks("waits for a SUBACK for ever", suback_patience=1e6),
    "suback-refused": breaks("asks again at once for what it was refused", on_granted=ask_again),
    "acknowledges": breaks("acknowledges nothing", on_received=lambda device, packet_id: 0),
    "puback-taken": breaks("sends again what was acknowledged", say=say_it_twice),
    "puback-withheld": breaks("forgets what was not acknowledged when it connects anew",
                              on_connecting=forget_what_was_said),
    "no-retain": breaks("asks the cloud to retain what it sends again",
                        let_go=retain_what_waited),
}
