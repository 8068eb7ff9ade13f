"""Two small apps of the same make, "left" and "right", which differ in name, prefixes and envelope."""
import shutil

from .server import REPO

APP = """
local function who(token)
    local claims = jwt.verify(token)
    return claims and { id = claims.user } or nil
end

return {
    name = "@", title = "The @ API", prefixes = { "/@", "/shared/@" }, hosts = { "@.localhost" },
    codes = { [404] = "NOT_FOUND", [405] = "METHOD_NOT_ALLOWED", [401] = "UNAUTHORIZED" },
    envelope = function(e) return { ["@"] = { code = e.code, message = e.message } } end,
    principals = { user = who },
    docs = { { path = "/@/docs" } }, demo_login = "any / where",
    units = { {
        name = "notes", summary = "Notes of @.",
        GET "/@/token" { summary = "Token", who = "anyone", returns = { [200] = any },
            run = function(req) return 200, { token = jwt.sign { user = 1, exp = req.now + 600 } } end },
        GET "/@/me" { summary = "Who", who = "user", returns = { [200] = any },
            run = function(req) return 200, { id = req.user.id } end },
        POST "/@/notes" { summary = "Write", who = "anyone", body = { text = text }, returns = { [201] = any },
            run = function(req)
                return 201, { id = db.transaction(function(tx) return tx.insert("notes", { text = req.body.text }) end) }
            end },
        GET "/@/notes" { summary = "Read", who = "anyone", returns = { [200] = any },
            run = function() return 200, { count = db.value("SELECT COUNT(*) FROM notes") } end },
        GET "/@/version" { summary = "Version", who = "anyone", returns = { [200] = any },
            run = function() return 200, { version = 1 } end },
        GET "/@/endless" { summary = "Loop", who = "anyone", returns = { [200] = any },
            run = function() while true do end end },
        GET "/shared/@/item" { summary = "Item", who = "anyone", returns = { [200] = any },
            run = function() return 200, { app = "@" } end },
        GET "/shared/@/{id}" { summary = "By id", who = "anyone", params = { id = text }, returns = { [200] = any },
            run = function(req) return 200, { id = req.params.id } end },
    } },
}
"""
APPS = ("left", "right")


class Folders:
    """A scripts and a db folder with both apps."""

    def __init__(self, root):
        self.scripts, self.db = root / "scripts", root / "db"
        shutil.copytree(REPO / "db" / "runtime", self.db / "runtime")
        for name in APPS:
            (self.scripts / name).mkdir(parents=True)
            (self.db / name).mkdir(parents=True)
            (self.db / name / "0001_create_notes.sql").write_text(
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n")
            self.save(name, APP.replace("@", name))

    def save(self, name, text):
        (self.scripts / name / "app.lua").write_text(text)


def write(client, app, text="x"):
    return client.post("/%s/notes" % app, {"text": text})


def count(client, app):
    return client.get("/%s/notes" % app).expect(200)["count"]
