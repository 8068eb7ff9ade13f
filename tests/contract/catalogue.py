"""The machine-readable documents of all apps: what each endpoint takes, answers and refuses."""
import json
import pathlib
import sys

SPEC = pathlib.Path(__file__).resolve().parent / "spec"
sys.path.insert(0, str(SPEC))

from shape import check  # noqa: E402,F401

APPS = {a["app"]: a for a in json.loads((SPEC / "catalogue.json").read_text(encoding="utf-8"))["apps"]}
EVERY = {e["id"]: e for a in APPS.values() for e in a["endpoints"] + a["additions"]}
VECTORS = json.loads((SPEC / "time_vectors.json").read_text(encoding="utf-8"))


def of(app):
    """An app's part, and its endpoints by id."""
    return APPS[app], {e["id"]: e for e in APPS[app]["endpoints"] + APPS[app]["additions"]}


def expected(endpoint, response):
    """The JSON value that an answer is compared with: example, else shape, else that of `same_as`."""
    if response.get("shape") is not None:
        return response["shape"]
    if response["example"] is not None:
        return response["example"]
    if response.get("same_as"):
        other = EVERY[response["same_as"]]
        return expected(other, other["responses"][0])
    raise AssertionError("%s has nothing to compare with" % endpoint["id"])
