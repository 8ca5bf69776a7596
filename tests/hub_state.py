"""What the stand-in for the Hub keeps in memory: repositories with their commits, large files, collections."""

import hashlib
import threading
from dataclasses import dataclass, field

LFS = (".safetensors",)  # what is uploaded as large files


class Refused(Exception):  # noqa: N818
    """An answer other than 200: its status, what is wrong, the Hub's code for it, and more for the body."""

    def __init__(self, status: int, message: str, code: str = "", **more):
        self.status, self.code, self.body = status, code, {"error": message, **more}


@dataclass
class Repo:
    """One repository: commits from the first to the last, each all its files, and names for some of them."""

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
        url: where it listens.
        repos: by kind and id: ``("models", "ada/center-mnist")``.
        collections: by slug: title and items.
        requests: method and path of everything asked.
        uploaded: paths of files that came in with commits, in order.
        broken: paths (regular expressions) that answer 500, and
        cut: those whose answers break off in the middle, and
        slow: those whose answers take two seconds.
        moved: where to such paths (regular expressions) are sent on.
        tokens: every Authorization header that came in.
    """

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.collections: dict[str, dict] = {}
        self.requests: list[tuple[str, str]] = []
        self.uploaded: list[str] = []
        self.broken: list[str] = []
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
    """The id of a collection's item, 24 hexadecimal digits."""
    return hashlib.sha1(item.encode()).hexdigest()[:24]


def entry(path: str, data: bytes) -> dict:
    """What a listing says of a file; of a large one also its SHA-256."""
    oid = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    about = {"type": "file", "path": path, "size": len(data), "oid": oid}
    if path.endswith(LFS):
        about["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return about
