"""CoAP over DTLS: skymock beside libcoap's example server.

What a handshake, a request at many open sessions and an idle session cost the server. The example
server looks nothing up and records nothing; skymock does both.
"""

import argparse
import sys
import tempfile

import peers
import rows
from peers import SERVERS


def main():
    names = ["skymock", "coap-server-gnutls"]
    parser = argparse.ArgumentParser(prog="./dev bench coap", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=40000)
    parser.add_argument("--only", choices=names, help="this server")
    options = parser.parse_args()
    rows.build()
    print(f"{options.sessions} sessions{'':12}{'handshakes a':>16}{'CPU us':>12}{'bytes an':>14}")
    print(f"{'':25}{'CPU second':>16}{'a request':>12}{'idle session':>14}")
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        run = rows.Run(peers.Files(folder))
        for name in names:
            if options.only not in (None, name) or not SERVERS[name].program():
                continue
            try:
                told = rows.dtls_sessions(run, SERVERS[name], options.sessions, options.requests)
            except rows.Failed as failed:
                sys.exit(f"bench: {failed}")
            rate = 1e6 / rows.cost(told["handshakes"])["value"]
            print(f"{name:25}{rate:>16.0f}{rows.cost(told['requests'])['value']:>12.1f}"
                  f"{told['session_bytes']:>14.0f}", flush=True)


if __name__ == "__main__":
    main()
