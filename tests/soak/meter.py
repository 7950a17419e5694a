"""What the server takes: memory, descriptors, CPU time, over time; and how a line fits it."""

import os
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def metrics(api):
    """{name, labels in braces included: value}"""
    found = {}
    for line in api.get("/metrics").splitlines():
        if line and line[0] != "#":
            name, value = line.rsplit(" ", 1)
            found[name.removeprefix("skymock_")] = float(value)
    return found


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def slope(points):
    """Of the line that fits best: y for each x."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = (sum(point[axis] for point in points) / count for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class Meter:
    """Samples of one server."""

    def __init__(self, pid, api):
        self.pid, self.api, self.samples = pid, api, []
        self.begun, self.cpu_begun = time.monotonic(), cpu_s(pid)
        self.own_begun = time.process_time()

    def sample(self):
        now = metrics(self.api)
        self.samples.append({
            "s": round(time.monotonic() - self.begun, 1), "rssKb": resident_kb(self.pid),
            "descriptors": descriptors(self.pid), "cpuS": cpu_s(self.pid) - self.cpu_begun,
            "connections": int(now["connections"]), "online": int(now["devices_online"]),
            "channels": int(now["coap_channels"]), "events": int(now["events_total"]),
            "lost": int(now["events_lost_total"]),
            "journalBytes": int(now["journal_bytes"] + now["journal_page_bytes"])})
        return self.samples[-1]

    def steady(self, warm_s):
        """Those behind the warming, with a journal that is full."""
        return [sample for sample in self.samples if sample["lost"] and sample["s"] >= warm_s]

    def turns(self):
        """The histogram of the loop's turns, if the server has one: [(up to, how many)]."""
        rows = []
        for name, value in metrics(self.api).items():
            if found := re.fullmatch(r'loop_turn_seconds_bucket\{le="([^"]+)"\}', name):
                rows.append((found[1], int(value)))
        return [(bound, count - before) for (bound, count), before in
                zip(rows, [0, *(count for _, count in rows)])]
