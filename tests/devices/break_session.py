"""What devices do wrong in the cases of the suite `session`."""

import collections
import json
import struct

import paho.mqtt.client as paho

from break_connect import for_ever
from break_reconnect import only_where_no_session_was
from habits import breaks

PUBACK = 0x40


def packet_of(device):
    """(type, flags, length) of the packet that is being read."""
    packet = device.client._in_packet
    return packet["command"] & 0xF0, packet["command"] & 0x0F, packet["remaining_length"]


def at_puback(do):
    """A function for `heard`: `do` gets the packet id of a PUBACK, and says which id it is to be."""
    def heard(device, data):
        if packet_of(device)[0] != PUBACK or len(data) != 2:
            return data
        packet_id = struct.unpack("!H", data)[0]
        return struct.pack("!H", do(device, packet_id) or packet_id)
    return heard


def oldest(device, _packet_id):
    return next(iter(device.client._out_messages), None)


def all_until(device, packet_id):
    for earlier in list(device.client._out_messages):
        if earlier == packet_id:
            break
        device.client._out_messages.pop(earlier)
        device.unacknowledged.pop(earlier, None)


def hang_at_a_second(device, packet_id):
    if packet_id not in device.client._out_messages:
        for_ever(device)


def close_out_of_order(device, packet_id):
    if packet_id != oldest(device, packet_id):
        raise OSError("a PUBACK out of order")


def fewer_each_time(device):
    """Where no session is: one topic fewer than the last time."""
    if not device.session_present:
        device.done_so_far["lost"] = device.done_so_far.get("lost", 0) + 1
    for topic in device.filters()[device.done_so_far.get("lost", 1) - 1:] or device.filters()[-1:]:
        device.subscribe(topic)


def believing_for_ever(device):
    if device.session_present:
        device.done_so_far["present"] = True
    if "present" not in device.done_so_far:
        type(device).on_connected(device)


def where_no_session_is(device):
    if not device.session_present:
        type(device).on_connected(device)


def once_each(device, packet_id):
    key = (device.connections, packet_id)
    if device.done_so_far.get("acknowledged") == key:
        return 0
    device.done_so_far["acknowledged"] = key
    return device.client.acknowledge(packet_id)


def no_copies(device, packet_id):
    return 0 if packet_of(device)[1] & 0x08 else device.client.acknowledge(packet_id)


def sixteen(device, packet_id):
    key = ("acknowledged", device.connections)
    device.done_so_far[key] = device.done_so_far.get(key, 0) + 1
    return device.client.acknowledge(packet_id) if device.done_so_far[key] <= 16 else 0


def known_topics(device, packet_id):
    packet = bytes(device.client._in_packet["packet"])
    length = struct.unpack("!H", packet[:2])[0]
    known = packet[2:2 + length].decode() in device.filters()
    return device.client.acknowledge(packet_id) if known else 0


def newest_first(device, _ended_by):
    messages = device.client._out_messages
    device.client._out_messages = collections.OrderedDict(reversed(messages.items()))


def hang_without_payload(device, topic, payload):
    if not payload:
        for_ever(device)
    type(device).on_message(device, topic, payload)


def hang_without_json(device, topic, payload):
    try:
        json.loads(payload)
    except ValueError:
        for_ever(device)
    type(device).on_message(device, topic, payload)


def longest(length, then):
    """A function for `heard`: a longer packet is not taken."""
    def heard(device, data):
        if packet_of(device)[2] > length:
            then(device)
        return data
    return heard


def close(device):
    raise OSError("longer than the buffer")


def hang_without_sense(device, result):
    if result == paho.MQTT_ERR_PROTOCOL:
        for_ever(device)
    type(device).done(device, result)


def hang_after_half(device, _ended_by):
    if device.client is not None and device.client._in_packet["to_process"]:
        for_ever(device)


BREAKS = {
    "session-kept": breaks("begins each connection with a clean session", "warned",
                           clean_session=True),
    "session-lost": breaks("forgets one topic with each session that it loses",
                           on_connected=fewer_each_time),
    "session-expired": breaks("subscribes once, and believes in its session for ever",
                              on_connected=only_where_no_session_was),
    "session-present-lie": breaks("believes for ever in a session that was there once",
                                  on_connected=believing_for_ever),
    "takeover": breaks("comes back at once when it was turned out", backoff=lambda device: 0.02),
    "duplicate-delivery": breaks("acknowledges the first of several copies only",
                                 on_received=once_each),
    "redelivered": breaks("does not acknowledge what has DUP", on_received=no_copies),
    "burst": breaks("has room for 16 acknowledgements", on_received=sixteen),
    "puback-wrong-id": breaks("takes any PUBACK for the one that is due", heard=at_puback(oldest)),
    "puback-twice": breaks("hangs when a PUBACK comes a second time",
                           heard=at_puback(hang_at_a_second)),
    "puback-delayed": breaks("gives up when no PUBACK has come in 0.5 s", puback_patience=0.5),
    "puback-gap": breaks("takes a PUBACK for all messages up to its own",
                         heard=at_puback(all_until)),
    "puback-reordered": breaks("closes when PUBACKs come in another order", "warned",
                               heard=at_puback(close_out_of_order)),
    "resend-in-order": breaks("sends again from the newest to the oldest", on_lost=newest_first),
    "suback-delayed": breaks("gives a SUBACK 0.3 s, and connects anew", suback_patience=0.3,
                             suback_tries=1),
    "suback-refused-once": breaks("asks only where no session is for what it was refused",
                                  on_connected=where_no_session_is),
    "downlink-empty": breaks("hangs when there is no payload", on_message=hang_without_payload),
    "downlink-garbage": breaks("hangs when a payload is no JSON", on_message=hang_without_json),
    "downlink-large": breaks("has a buffer of 8 KB", heard=longest(8192, close)),
    "downlink-64k": breaks("has a buffer of 32 KB", heard=longest(32768, close)),
    "downlink-oversized": breaks("hangs when a packet is longer than its memory",
                                 heard=longest(300000, for_ever)),
    "downlink-malformed": breaks("hangs when a packet makes no sense",
                                 done=hang_without_sense),
    "downlink-cut": breaks("hangs when a connection ends in the middle of a packet",
                           on_lost=hang_after_half),
    "downlink-unasked": breaks("acknowledges only what it has subscribed to",
                               on_received=known_topics),
}
