"""The part of the catalogue that is served now: FocusFlow."""
import json
import pathlib
import sys

SPEC = pathlib.Path(__file__).resolve().parent / "spec"
sys.path.insert(0, str(SPEC))

from shape import check  # noqa: E402,F401

CATALOGUE = json.loads((SPEC / "catalogue.json").read_text(encoding="utf-8"))
APP = next(a for a in CATALOGUE["apps"] if a["app"] == "focusflow")
ENDPOINTS = {e["id"]: e for e in APP["endpoints"] + APP["additions"]}
VECTORS = json.loads((SPEC / "time_vectors.json").read_text(encoding="utf-8"))


def expected(endpoint, response):
    """The JSON value that an answer is compared with: example, else shape, else that of `same_as`."""
    if response.get("shape") is not None:
        return response["shape"]
    if response["example"] is not None:
        return response["example"]
    if response.get("same_as"):
        other = ENDPOINTS[response["same_as"]]
        return expected(other, other["responses"][0])
    raise AssertionError("%s has nothing to compare with" % endpoint["id"])
