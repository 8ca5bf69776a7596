"""The state of the stand-in for the Hub: repositories with their commits, large files and collections."""

import hashlib
import threading
from dataclasses import dataclass, field

LFS = (".safetensors",)  # uploaded as large files


class Refused(Exception):  # noqa: N818
    """An error response: status, message, the Hub's error code and further fields of the body."""

    def __init__(self, status: int, message: str, code: str = "", **more):
        self.status, self.code, self.body = status, code, {"error": message, **more}


@dataclass
class Repo:
    """One repository: its commits in order, each with all files, and its branches and tags."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    proposals: dict[int, dict] = field(default_factory=dict)  # pull requests by number

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        oid = hashlib.sha1(f"{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits[oid], self.refs[branch] = files, oid
        return oid

    def find(self, revision: str) -> str | None:
        known = {**self.refs, **self.tags}
        return known.get(revision, revision if revision in self.commits else None)


class Hub:
    """The state of the stand-in.

    Attributes:
        url: its address.
        repos: repositories by kind and id, such as ``("models", "ada/center-mnist")``.
        collections: title and items by slug.
        requests: method and path of every request.
        uploaded: paths of all committed files, in order.
        broken: paths (regular expressions) that answer 500.
        busy: headers of answers with the status 429, by path (a regular expression).
        cut: paths whose responses are cut off in the middle.
        slow: paths whose responses take two seconds.
        moved: redirects from paths (regular expressions) to addresses.
        tokens: every Authorization header received.
    """

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.collections: dict[str, dict] = {}
        self.requests: list[tuple[str, str]] = []
        self.uploaded: list[str] = []
        self.broken: list[str] = []
        self.busy: dict[str, dict[str, str]] = {}
        self.cut: list[str] = []
        self.slow: list[str] = []
        self.moved: dict[str, str] = {}
        self.tokens: set[str | None] = set()
        self.lock = threading.Lock()
        self.url = ""

    def files(self, repo_id: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        repo = self.repos[kind, repo_id]
        return repo.commits[repo.find(revision)]


def object_id(item: str) -> str:
    """The id of an item of a collection, 24 hexadecimal digits."""
    return hashlib.sha1(item.encode()).hexdigest()[:24]


def entry(path: str, data: bytes) -> dict:
    """A file's entry in a listing, with the SHA-256 of large files."""
    oid = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    about = {"type": "file", "path": path, "size": len(data), "oid": oid}
    if path.endswith(LFS):
        about["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return about
