"""What devices do wrong in the cases of the suite `keepalive`."""

import time

from break_connect import for_ever
from habits import breaks


def tire(habit, after):
    """A function for `say` and `ping`: a device of few words on each connection."""
    def do(device):
        key = (habit, device.connections)
        device.done_so_far[key] = device.done_so_far.get(key, 0) + 1
        if device.done_so_far[key] <= after:
            getattr(type(device), habit)(device)
    return do


def hang_when_old(device, ended_by):
    """After a connection that had lasted a while, other than the first."""
    if ended_by == "FIN" and device.connections > 1 and time.monotonic() - device.began > 1.6:
        for_ever(device)


BREAKS = {
    "keepalive-kept": breaks("says one thing, and then nothing, not even pings",
                             ping_every=1e6, say=tire("say", 1)),
    "pingresp-withheld": breaks("does not care whether a ping is answered", ping_patience=1e6),
    "pingresp-delayed": breaks("gives up when a ping is not answered within 0.1 s",
                               ping_patience=0.1),
    "cut-for-silence": breaks("does not come back when the cloud closed an old connection",
                              on_lost=hang_when_old),
    "long-duration": breaks("falls silent after a while", say=tire("say", 1),
                            ping=tire("ping", 1)),
}
