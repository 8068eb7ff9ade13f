"""Reading an OpenAPI document, and comparing it with the catalogue's endpoints."""
import re
from urllib.parse import urlsplit


def plain(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations(openapi):
    """{(method, path without names): (path, its item, the operation)}"""
    base = urlsplit((openapi.get("servers") or [{"url": "/"}])[0]["url"]).path.rstrip("/")
    out = {}
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                out[method.upper(), plain(path if path.startswith("/api/") else base + path)] = (path, item, operation)
    return out


def resolve(openapi, schema):
    while "$ref" in schema:
        assert schema["$ref"].startswith("#/"), "a reference elsewhere: %s" % schema["$ref"]
        name = schema["$ref"]
        schema = openapi
        for part in name[2:].split("/"):
            schema = schema[part.replace("~1", "/").replace("~0", "~")]
    return schema


def check_operation(openapi, method, path):
    """What every operation has; the operation."""
    written, item, operation = operations(openapi)[method, plain(path)]
    assert operation.get("summary") and operation["responses"]
    names = re.findall(r"\{([^}]+)\}", written)
    declared = {p["name"] for p in operation.get("parameters", []) + item.get("parameters", [])
                if p.get("in") == "path" and p["required"]}
    assert set(names) == declared
    return operation


def check_endpoint(openapi, endpoint):
    """The documented statuses, query parameters, body and authentication are in the document."""
    operation = check_operation(openapi, endpoint["method"], endpoint["full_path"])
    assert {str(r["status"]) for r in endpoint["responses"]} <= set(operation["responses"])
    wanted = {str(e["status"]) for e in endpoint["errors"]}
    assert wanted <= set(operation["responses"]) | {"4XX"} or "default" in operation["responses"], "errors %s" % wanted
    queries = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "query"}
    assert {q["name"] for q in endpoint["query_params"]} <= queries
    public = endpoint["auth"] == "none"
    security = operation.get("security", openapi.get("security", []))
    assert (not security or {} in security) == public, "public: %s" % public
    if endpoint["request_schema"]:
        schema = resolve(openapi, operation["requestBody"]["content"]["application/json"]["schema"])
        fields = endpoint["request_schema"]["fields"]
        assert set(fields) <= set(schema["properties"]), endpoint["id"]
        assert {k for k, f in fields.items() if f.get("required")} == set(schema.get("required", [])), endpoint["id"]
