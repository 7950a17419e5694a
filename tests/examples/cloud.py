"""The test's side: skymock's API. The address comes from `skymock exec`."""

import json
import os
import urllib.error
import urllib.request

URL = os.environ.get("SKYMOCK_URL", "http://localhost:8080")


def call(method, path, body=None):
    """The answer's JSON; an error of the API is raised with its words."""
    request = urllib.request.Request(URL + "/api/v1/" + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
    return json.loads(text) if text else None


def verify(**what):
    """Asserts that it happened, or happens within five seconds; gives the events' numbers."""
    return call("POST", "verify", {"waitMs": 5000, **what})["events"]
