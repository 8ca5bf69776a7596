"""A stand-in for the Hub on loopback: repositories, both kinds of uploads, downloads, tags and collections, in memory.

It answers the requests of ``huggingface_hub`` over real HTTP and records them in its attributes.
"""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from hub_collections import Collections
from hub_state import LFS, Hub, Refused, Repo, entry

WRITE, READ, OTHER = "hf_write", "hf_read", "hf_other"  # tokens
ACCOUNTS = {WRITE: ("ada", "write"), READ: ("ada", "read"), OTHER: ("bob", "write")}


class Handler(Collections, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args):
        pass

    def do_POST(self):  # noqa: N802
        self.answer()

    do_GET = do_HEAD = do_PUT = do_PATCH = do_POST  # noqa: N815

    def answer(self):
        self.query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        path = unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.status = 200
        try:
            with self.hub.lock:
                answer = self.action(path)
            body, headers = answer if isinstance(answer, tuple) else (json.dumps(answer).encode(), {})
        except Refused as refused:
            self.status, body = refused.status, json.dumps(refused.body).encode()
            headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.body["error"]}
        self.send(body, headers)

    def action(self, path: str):
        self.hub.requests.append((self.command, path))
        self.hub.tokens.add(self.headers.get("Authorization"))
        _ = self.account  # an unknown token is refused for every request
        if any(re.search(pattern, path) for pattern in self.hub.broken):
            raise Refused(500, "broken")
        for pattern, headers in self.hub.busy.items():
            if re.search(pattern, path):
                self.status = 429
                return b"", headers
        for pattern, elsewhere in self.hub.moved.items():
            if re.search(pattern, path):
                self.status = 302
                return b"", {"Location": elsewhere}
        for method, pattern, action in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method.split():
                return action(self, *match.groups())
        raise Refused(404, f"unknown address {self.command} {path}", "EntryNotFound")

    def send(self, body: bytes, headers: dict):
        self.send_response(self.status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            if value != "":
                self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            if any(re.search(pattern, self.path) for pattern in self.hub.slow):
                time.sleep(2)
            cut = any(re.search(pattern, self.path) for pattern in self.hub.cut)
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

    @property
    def account(self) -> tuple[str, str] | None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token and token not in ACCOUNTS:
            raise Refused(401, "Invalid credentials in Authorization header")
        return ACCOUNTS.get(token)

    def may_write(self, namespace: str):
        if self.account is None:
            raise Refused(401, "Invalid username or password.")
        if self.account != (namespace, "write"):
            raise Refused(403, f"You don't have the rights to create a model under the namespace {namespace}")

    def address(self, kind: str, repo_id: str) -> str:
        """The address of a repository's page."""
        return f"{self.hub.url}/{'' if kind == 'models' else kind + '/'}{repo_id}"

    def repo(self, kind: str, repo_id: str) -> Repo:
        repo = self.hub.repos.get((kind, repo_id))
        if repo is None or (repo.private and (self.account or ("",))[0] != repo_id.split("/")[0]):
            raise Refused(404 if self.account else 401, "Repository not found", "RepoNotFound")
        return repo

    def revision(self, kind: str, repo_id: str, revision: str) -> tuple[Repo, str]:
        repo = self.repo(kind, repo_id)
        oid = repo.find(revision)
        if oid is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return repo, oid

    def whoami(self):
        if self.account is None:
            raise Refused(401, "Invalid username or password.")
        name, role = self.account
        return {"name": name, "type": "user", "orgs": [], "auth": {"accessToken": {"displayName": "t", "role": role}}}

    def create(self):
        request = json.loads(self.body)
        kind, namespace = request.get("type", "model") + "s", request.get("organization") or (self.account or ("",))[0]
        repo_id = f"{namespace}/{request['name']}"
        self.may_write(namespace)
        there = {"url": self.address(kind, repo_id), "name": repo_id}
        if (kind, repo_id) in self.hub.repos:
            raise Refused(409, "You already created this model repo", **there)
        private = request.get("private") or request.get("visibility") == "private"
        repo = self.hub.repos[kind, repo_id] = Repo(bool(private))
        repo.commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"})
        return there

    def info(self, kind, repo_id, revision="main"):
        repo, oid = self.revision(kind, repo_id, revision)
        files = [{"rfilename": path} for path in repo.commits[oid]]
        return {"id": repo_id, "sha": oid, "private": repo.private, "gated": False, "tags": [], "siblings": files}

    def tree(self, kind, repo_id, revision):
        repo, oid = self.revision(kind, repo_id, revision)
        folders = {path.rpartition("/")[0] for path in repo.commits[oid]} - {""}
        listed = [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders]
        return listed + [entry(path, data) for path, data in repo.commits[oid].items()]

    def refs(self, kind, repo_id):
        repo = self.repo(kind, repo_id)

        def listed(names, prefix):
            return [{"name": n, "ref": f"refs/{prefix}/{n}", "targetCommit": oid} for n, oid in names.items()]

        return {"branches": listed(repo.refs, "heads"), "tags": listed(repo.tags, "tags"), "converts": []}

    def tag(self, kind, repo_id, revision):
        self.may_write(repo_id.split("/")[0])
        repo, oid = self.revision(kind, repo_id, revision)
        name = json.loads(self.body)["tag"]
        if name in repo.tags:
            raise Refused(409, f"Tag {name} exists already")
        repo.tags[name] = oid
        return {}

    def branch(self, kind, repo_id, name):
        self.may_write(repo_id.split("/")[0])
        repo = self.repo(kind, repo_id)
        if name in repo.refs:
            raise Refused(409, "Reference already exists")
        repo.refs[name] = repo.refs["main"]
        return {}

    def preupload(self, kind, repo_id, revision):
        repo, oid = self.revision(kind, repo_id, revision)
        answers = []
        for file in json.loads(self.body)["files"]:
            path, there = file["path"], repo.commits[oid].get(file["path"])
            mode = "lfs" if path.endswith(LFS) else "regular"
            there = {} if there is None else {"oid": entry(path, there).get("lfs", entry(path, there))["oid"]}
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **there})
        return {"files": answers}

    def commit(self, kind, repo_id, revision):
        pull_request = self.query.get("create_pr") == "1"
        if not (pull_request or revision.startswith("refs/pr/")) or self.account is None:
            self.may_write(repo_id.split("/")[0])
        repo, oid = self.revision(kind, repo_id, revision)
        files = dict(repo.commits[oid])
        for line in self.body.decode().splitlines():
            step = json.loads(line)
            value = step["value"]
            if step["key"] == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, oid):
                    raise Refused(412, "A commit has happened since. Please refresh and try again.")
            elif step["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif step["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif step["key"] == "deletedFile":
                del files[value["path"]]
            if step["key"] in ("file", "lfsFile"):
                self.hub.uploaded.append(f"{repo_id}/{value['path']}")
        number = len(repo.commits)
        oid = repo.commit(f"refs/pr/{number}" if pull_request else revision, files)
        answer = {"commitOid": oid, "commitUrl": f"{self.address(kind, repo_id)}/commit/{oid}"}
        if pull_request:
            repo.proposals[number] = {"title": title, "author": self.account[0], "status": "open"}
            answer["pullRequestUrl"] = f"{self.address(kind, repo_id)}/discussions/{number}"
        return answer

    def discussions(self, kind, repo_id):
        found = [
            {"num": number, "createdAt": "2026-01-01T00:00:00.000Z", "isPullRequest": True,
             "repo": {"name": repo_id, "type": kind[:-1]}, **about, "author": {"name": about["author"]}}
            for number, about in self.repo(kind, repo_id).proposals.items()
            if about["author"] == self.query["author"] and about["status"] == self.query["status"]
        ]  # fmt: skip
        return {"discussions": found, "count": len(found), "start": 0}

    def batch(self, repo_id):
        if self.account is None:
            raise Refused(401, "Invalid username or password.")
        answers = []
        for wanted in json.loads(self.body)["objects"]:
            actions = {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}"}}
            answers.append(wanted if wanted["oid"] in self.hub.objects else {**wanted, "actions": actions})
        return {"transfer": "basic", "objects": answers}

    def store(self, oid):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refused(400, "the content has another SHA-256")
        self.hub.objects[oid] = self.body
        return b"", {}

    def resolve(self, repo_id, revision, path):
        repo, oid = self.revision("models", repo_id, revision)
        headers = {"X-Repo-Commit": oid, "Accept-Ranges": "bytes"}
        if path not in repo.commits[oid]:
            raise Refused(404, "Entry not found", "EntryNotFound")
        data = repo.commits[oid][path]
        about = entry(path, data)
        if "lfs" not in about:
            return data, {**headers, "ETag": f'"{about["oid"]}"'}
        self.hub.objects[about["lfs"]["oid"]] = data
        self.status = 302  # to another host, as the Hub does
        elsewhere = f"{self.hub.url.replace('127.0.0.1', 'localhost')}/lfs/{about['lfs']['oid']}"
        linked = {"X-Linked-ETag": f'"{about["lfs"]["oid"]}"', "X-Linked-Size": len(data)}
        return b"", {**headers, **linked, "Location": elsewhere}

    def stored(self, oid):
        return self.hub.objects[oid], {"ETag": f'"{oid}"'}

    def models(self):
        author, library, known = self.query.get("author", ""), self.query.get("filter", ""), []
        for (kind, repo_id), repo in self.hub.repos.items():
            card = repo.commits[repo.refs["main"]].get("README.md", b"").decode()
            if kind == "models" and repo_id.startswith(f"{author}/") and f"library_name: {library}" in card:
                known.append({"id": repo_id, "private": repo.private, "tags": [library]})
        return known


KIND, ID, REV, SLUG = "(models|datasets|spaces)", "([^/]+/[^/]+?)", "([^/]+|refs/.+)", "([^/]+/[^/]+)"
ROUTES = [
    ("GET", "/api/whoami-v2", Handler.whoami),
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", lambda handler: {"errors": [], "warnings": []}),
    ("POST", f"/api/{KIND}/{ID}/preupload/{REV}", Handler.preupload),
    ("POST", f"/api/{KIND}/{ID}/commit/{REV}", Handler.commit),
    ("POST", f"/{ID}\\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", "/lfs/([0-9a-f]{64})", Handler.store),
    ("GET HEAD", "/lfs/([0-9a-f]{64})", Handler.stored),
    ("GET", "/api/models", Handler.models),
    ("GET", f"/api/{KIND}/{ID}", Handler.info),
    ("GET", f"/api/{KIND}/{ID}/revision/{REV}", Handler.info),
    ("GET", f"/api/{KIND}/{ID}/tree/{REV}", Handler.tree),
    ("GET", f"/api/{KIND}/{ID}/refs", Handler.refs),
    ("GET", f"/api/{KIND}/{ID}/discussions", Handler.discussions),
    ("POST", f"/api/{KIND}/{ID}/tag/{REV}", Handler.tag),
    ("POST", f"/api/{KIND}/{ID}/branch/(.+)", Handler.branch),
    ("GET HEAD", f"/{ID}/resolve/{REV}/(.+)", Handler.resolve),
    ("POST", "/api/collections", Handler.collect),
    ("GET", f"/api/collections/{SLUG}", Handler.collection),
    ("POST", f"/api/collections/{SLUG}/items", Handler.add_item),
    ("PATCH", f"/api/collections/{SLUG}/items/(.+)", Handler.move_item),
]


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a stand-in on a free port."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
