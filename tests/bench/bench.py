"""skymock beside its peers: the same load, in one run.

skymock checks a signature at every login and a right at every message, and journals everything
while it is measured; mosquitto checks nothing. Rounds alternate between the servers; medians are
shown, with the least and the most of all rounds, and the ratio that a goal is about is the median of
each round's. Rates move with the machine, and CPU time of the server least. A run in which anything
is lost, duplicated or out of order fails.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers
import picture
import rows
from peers import SERVERS


def summary(numbers):
    return {"median": statistics.median(numbers), "least": min(numbers), "most": max(numbers),
            "rounds": numbers}


def measured(row, servers, rounds, run):
    """What each round gave, by server: lists of named numbers."""
    found = {name: [] for name in servers}
    for number in range(rounds):
        for name in servers if number % 2 == 0 else reversed(servers):
            found[name].append(row.measure(run, SERVERS[name]))
    return found


def ratios(row, found):
    """Of each round, what the goal is about; None where its peer is not installed."""
    ours = found["skymock"]
    if row.goal.of is None:
        return [each["value"] for each in ours]
    if row.goal.of in SERVERS:
        if row.goal.of not in found:
            return None
        return [a["value"] / b["value"] for a, b in zip(ours, found[row.goal.of])]
    return [each["value"] / each[row.goal.of] for each in ours]


def evaluate(row, found, missing):
    """A row as JSON has it."""
    ratio = ratios(row, found)
    result = {
        "name": row.name, "title": row.title, "unit": row.unit, "extras": row.extras,
        "goal": {"number": row.goal.number, "of": row.goal.of, "atLeast": row.goal.at_least,
                 "text": row.goal.text()},
        "servers": {name: {key: summary([each[key] for each in taken]) for key in taken[0]}
                    for name, taken in found.items()},
        "notInstalled": missing,
        "ratio": summary(ratio) if ratio else None,
    }
    result["kept"] = row.goal.kept(result["ratio"]["median"]) if ratio else None
    return result


# ---- the table ----


def number(value):
    for limit, mark in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if mark == 'M' else 1e3):.3g}{mark}"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def cell(server, key="value"):
    if server is None:
        return "-"
    of = server[key]
    return f"{number(of['median'])} ({number(of['least'])}-{number(of['most'])})"


def verdict(row):
    if row["kept"] is None:
        return f"goal {row['goal']['text']}: not known, {', '.join(row['notInstalled'])} is not " \
               "installed"
    return f"{number(row['ratio']['median'])}, goal {row['goal']['text']}: " \
           f"{'kept' if row['kept'] else 'MISSED'}"


def line(name, title, unit, cells, rest=""):
    return f"{name:13}{title:33}{unit:22.22}" + "".join(f"{each:>24}" for each in cells) + f"   {rest}"


def lines_of(row):
    servers, beside = row["servers"], row["goal"]["of"]
    columns = [servers.get("skymock"), servers.get(beside) if beside in SERVERS else None,
               servers.get("FlashMQ"), servers.get("bare")]
    yield line(row["name"], row["title"], row["unit"], [cell(each) for each in columns], verdict(row))
    for key, unit in row["extras"].items():
        has = [each and key in each for each in columns]
        yield line("", "", unit, [cell(each, key) if there else "" for each, there in
                                  zip(columns, has)]).rstrip()


def table_head(missing):
    beside = "mosquitto (or nginx: HTTPS, coap-server-gnutls: DTLS)"
    yield f"median (least-most) of the rounds; beside is {beside};"
    yield "bare is what the system alone takes: reading and writing the same packets (bare.c)"
    for name in missing:
        yield f"{name} is not installed: its column is empty"
    yield line("--rows NAME", "", "", ["skymock", "beside", "FlashMQ", "bare"], "ratio")


def conclusion(rows_):
    """The line at the end: the exit code of a run says nothing of goals."""
    kept = [row["kept"] for row in rows_]
    unknown = f" ({kept.count(None)} not known)" if None in kept else ""
    missed = "; a goal that is missed fails nothing, tests/bench/README.md says what bounds each"
    return f"{kept.count(True)} of {len(kept)} goals kept{unknown}" + (missed if False in kept else "")


# ---- where, when and of what ----


def machine():
    info = Path("/proc/cpuinfo").read_text()
    names = [line_.split(":", 1)[1].strip() for line_ in info.splitlines()
             if line_.startswith("model name")]
    return {"processor": names[0] if names else platform.machine(), "processors": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}", "load": os.getloadavg()[0]}


def revision():
    result = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=peers.ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return result.stdout.strip() or None


def bench(options):
    """Measures, prints each row when it is there, and gives everything as JSON has it."""
    picked = options.picked
    installed = [name for name, server in SERVERS.items() if server.program()]
    wanted = {name for row in picked for name in row.servers()}
    if "skymock" not in installed:
        raise SystemExit(f"bench: {peers.SKYMOCK} is not built")
    result = {
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "revision": revision(),
        "rounds": options.rounds, "scale": options.scale, "machine": machine(),
        "versions": {name: SERVERS[name].version() for name in installed if name in wanted},
        "rows": [],
    }
    for text in table_head([name for name in SERVERS if name in wanted - set(installed)]):
        print(text, flush=True)
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        run = rows.Run(peers.Files(folder), options.scale)
        for row in picked:
            servers = [name for name in row.servers() if name in installed]
            missing = [name for name in row.servers() if name not in installed]
            result["rows"].append(evaluate(row, measured(row, servers, options.rounds, run),
                                           missing))
            print("\n".join(lines_of(result["rows"][-1])), flush=True)
    print(conclusion(result["rows"]))
    return result


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="rows: " + ", ".join(row.name for row in rows.ROWS))
    parser.add_argument("--rows", metavar="NAME,...", help="these only, or whose names begin so")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, metavar="SHARE",
                        help="this share of the usual counts: to try it out, not to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it here")
    parser.add_argument("--from", type=Path, metavar="FILE", dest="source",
                        help="measure nothing: --svg draws what this --json file has")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds is 1 at least")
    try:
        options.picked = rows.chosen(options.rows and options.rows.split(","))
    except LookupError as unknown:
        parser.error(unknown.args[0])
    if options.source:
        result = json.loads(options.source.read_text())
    else:
        rows.build()
        try:
            result = bench(options)
        except rows.Failed as failed:
            sys.exit(f"bench: {failed}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(picture.draw(result))


if __name__ == "__main__":
    main()
