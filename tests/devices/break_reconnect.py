"""What devices do wrong in the cases of the suite `reconnect`."""

import time

from break_connect import for_ever
from habits import breaks


def hang_after(how):
    """A function for `on_lost`: a connection that ends so is not noticed."""
    def on_lost(device, ended_by):
        if ended_by == how:
            for_ever(device)
    return on_lost


def hang_in_the_middle(how):
    """Likewise, of one that had been there for a moment, and ends under what is said."""
    def on_lost(device, ended_by):
        if ended_by == how and device.unacknowledged and time.monotonic() - device.began > 0.5:
            for_ever(device)
    return on_lost


def start_anew(device):
    device.attempts = 0
    type(device).on_connected(device)


def constant(_device):
    return 0.15


def only_where_no_session_was(device):
    if device.connections == 1:
        type(device).on_connected(device)


BREAKS = {
    "server-disconnect": breaks("comes back after the same 0.15 s again and again",
                                backoff=constant),
    "no-connack-backoff": breaks("tries again after the same 0.15 s when no CONNACK comes",
                                 backoff=constant),
    "refused-backoff": breaks("tries again after the same 0.15 s when it is refused",
                              backoff=constant),
    "unstable": breaks("forgets its back-off with every CONNACK", on_connected=start_anew),
    "reset-by-peer": breaks("does not come back when TCP was reset", on_lost=hang_in_the_middle("RST")),
    "closed-by-peer": breaks("does not come back when TCP was closed under what it said",
                             on_lost=hang_in_the_middle("FIN")),
    "half-open": breaks("never notices that nobody is there any more", ping_patience=1e6,
                        puback_patience=1e6, suback_patience=1e6),
    "back-in-time": breaks("lets its back-off grow without a limit", backoff_first=0.3,
                           backoff_factor=50.0, backoff_max=1e6, on_connected=start_anew),
    "resubscribes": breaks("subscribes once, and believes in its session for ever",
                           on_connected=only_where_no_session_was),
}
