"""The app tests/support/apps/door with its lib/, and people in it."""
import shutil

from .oauth import Flows
from .server import REPO

SUPPORT = REPO / "tests" / "support"
PASSWORD = "correct horse battery"


def folders(path):
    """Where the server finds scripts and db: the app beside a copy of scripts/lib."""
    for source in (SUPPORT / "apps" / "door", REPO / "scripts" / "lib"):
        shutil.copytree(source, path / source.name)
    return {"scripts": path, "db": SUPPORT / "db"}


class Door(Flows):
    """One organization with an admin and a user, and the clients that the admin registers."""

    count = 0

    def __init__(self, server, prefix="/door/oauth"):
        Door.count += 1
        self.server, self.tenant = server, Door.count
        super().__init__(server, prefix, self.user("admin", admin=True), self.user("ada"))

    def user(self, name, **more):
        login = {"email": "%s@tenant-%d.example" % (name, self.tenant), "password": PASSWORD}
        r = self.server.client.post("/door/users", {"tenant_id": self.tenant, **login, **more})
        assert r.status == 201, r
        return {**login, **r.json()}

    def me(self, token):
        return self.server.client.get("/door/me", token=token)
