"""Folders of models or of the demo ─► repositories on the Hub."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import validate_repo_id

from aevq_hub import LoadError
from aevq_hub.folder import (
    CARD_FILE,
    CONFIG_FILE,
    HISTORY_FILE,
    MAP_FILE,
    PICTURES,
    PINS_FILE,
    SAMPLES_FILE,
    SEARCH_FILE,
    WEIGHTS_FILE,
)
from aevq_hub.hub import LIBRARY, bounded_waits, reach_hub, short
from aevq_hub.registry import DATASETS, VARIANTS

from .card import published
from .contents import PublishError, equal, published_files, size

COLLECTION = "AEVQ – from continuous to discrete"
_KEPT = (".gitattributes",)  # files that only a repository has
_OWN = {  # files, or folders of them, that are deleted there when they are gone here
    "model": (CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, HISTORY_FILE, SAMPLES_FILE, MAP_FILE, SEARCH_FILE, *PICTURES),
    "space": ("app.py", "requirements.txt", CARD_FILE, "aevq_hub", "model_cards"),
}
_CHANGED = "someone has changed the repository meanwhile; run the command again to compare with it"
_MARKS = {  # files that show that a repository of this type was published from here
    "model": {CONFIG_FILE, WEIGHTS_FILE, HISTORY_FILE},
    "space": {"app.py", f"model_cards/{PINS_FILE}"},
}


@dataclass(frozen=True)
class Change:
    """A change to one file of a repository."""

    what: str  # "add", "update" or "delete"
    path: str
    size: int  # bytes


@dataclass(frozen=True)
class Changes:
    """What would make a repository equal to a folder."""

    files: tuple[Change, ...]
    kept: tuple[str, ...]  # files that others have added there, which stay
    parent: str | None  # the commit that the folder was compared with; None without a repository


def ladder(names: Iterable[str]) -> list[str]:
    """Sort names of models by data set, then from continuous to discrete."""
    order = [f"{variant}-{dataset}" for dataset in DATASETS for variant in VARIANTS]
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


class Publisher:
    """Publishes folders under one namespace.

    Args:
        namespace: an account or an organisation on the Hub.
        repo_type: the type of the repositories, ``model`` or ``space``.
        create_pr: open pull requests, or add to open ones, instead of changing the repositories. They may then belong
            to someone else.

    Raises:
        PublishError: the Hub is not reached, there is no token, or the token may not write there.
    """

    def __init__(self, namespace: str, *, repo_type: str = "model", create_pr: bool = False):
        self.namespace, self.create_pr, self.api = namespace, create_pr, HfApi()
        self.repo: dict[str, Any] = {"repo_type": repo_type}
        with explained(f"account {namespace}"):
            reach_hub()  # the client would wait for ever
            account = self.api.whoami()
        self.account = account["name"]
        orgs = [org["name"] for org in account.get("orgs", []) if org.get("roleInOrg") != "read"]
        if namespace not in (self.account, *orgs) and not create_pr:
            raise PublishError(
                f"the token belongs to {self.account}, which may not publish under {namespace!r}; "
                f"choose from {', '.join((self.account, *orgs))}, or open pull requests (--create-pr)"
            )
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise PublishError("the token may only read; create one that may write and give it to `hf auth login`")

    def changes(
        self, folder: Path, revision: str | None = None, tag: str | None = None, *, prune: bool = False
    ) -> Changes:
        """The changes that would make the repository with a folder's name equal to the folder.

        Args:
            folder: the folder, with all its subfolders.
            revision: the branch to compare with; by default ``main``.
            tag: the tag that the published state would get.
            prune: whether to delete files that others have added there, too.

        Raises:
            PublishError: the repository contains something else, the tag already exists for another state, the Hub
                allows no repository of this name, or a file of the folder is a link.
        """
        repo_id = f"{self.namespace}/{folder.name}"
        with explained(repo_id):
            validate_repo_id(repo_id)
            here = self._contents(folder)
            parent = self._commit(repo_id, revision or self._proposed(repo_id))
            there = self._there(repo_id, parent) if parent else {}
            changed = [
                Change("update" if name in there else "add", name, size(content))
                for name, content in here.items()
                if name not in there or not equal(content, there[name])
            ]
            own = _OWN[self.repo["repo_type"]]
            gone = [name for name in there if name not in (*here, *_KEPT)]
            kept = () if prune else tuple(name for name in gone if name.split("/")[0] not in own)
            changed += [Change("delete", name, there[name].size) for name in gone if name not in kept]
            tagged = self._tagged(repo_id, tag) if tag and there else None
            if tagged and (changed or tagged != parent):
                raise PublishError(f"{repo_id} already has the tag {tag!r} for another state; choose another")
        return Changes(tuple(changed), kept, parent)

    def push(
        self,
        folder: Path,
        changes: Changes,
        *,
        private: bool = False,
        revision: str | None = None,
        tag: str | None = None,
    ) -> str:
        """Apply the changes to the repository in one commit.

        Args:
            folder: the folder. The repository has its name and is created if missing.
            changes: the result of :meth:`changes`.
            private: whether a new repository is private.
            revision: the branch, created if missing; by default ``main``.
            tag: a tag for the published state.

        Returns:
            The address of the commit, of the pull request or, if nothing changed, of the repository.

        Raises:
            PublishError: the Hub refused, or the repository has changed since it was compared. The same call continues
                where it stopped.
        """
        repo_id, parent = f"{self.namespace}/{folder.name}", changes.parent
        with explained(repo_id):
            if parent is None:
                if self.api.repo_exists(repo_id, **self.repo):
                    raise PublishError(f"{repo_id}: {_CHANGED}")
                sdk = "gradio" if self.repo["repo_type"] == "space" else None
                self.api.create_repo(repo_id, private=private, space_sdk=sdk, **self.repo)
            if revision:
                self.api.create_branch(repo_id, branch=revision, exist_ok=True, **self.repo)
            proposed = self._proposed(repo_id)
            path = repo_id if self.repo["repo_type"] == "model" else f"spaces/{repo_id}"
            address, published = f"{self.api.endpoint}/{path}", revision
            if files := changes.files:
                contents = self._contents(folder)
                operations: list[Any] = [CommitOperationDelete(c.path) for c in files if c.what == "delete"]
                operations += [CommitOperationAdd(c.path, contents[c.path]) for c in files if c.what != "delete"]
                commit = self.api.create_commit(
                    repo_id,
                    operations,
                    commit_message=f"{folder.name}: {len(files)} files",
                    revision=revision or proposed,
                    parent_commit=parent,
                    create_pr=self.create_pr and not proposed,
                    **self.repo,
                )
                address, published = commit.pr_url or commit.commit_url, commit.oid
            if tag and not self._tagged(repo_id, tag):
                self.api.create_tag(repo_id, tag=tag, revision=published, **self.repo)
        return address

    def collect(self, names: Sequence[str], *, private: bool = False) -> str:
        """Gather published models in a collection, sorted by :func:`ladder`, and return its address."""
        with explained(f"the collection of {self.namespace}"):
            options = {"namespace": self.namespace, "private": private}
            collection = self.api.create_collection(COLLECTION, exists_ok=True, **options)
            for name in names:
                self.api.add_collection_item(collection.slug, f"{self.namespace}/{name}", "model", exists_ok=True)
            items = {item.item_id.split("/")[-1]: item for item in self.api.get_collection(collection.slug).items}
            if list(items) != ladder(items):
                for position, name in enumerate(ladder(items)):
                    self.api.update_collection_item(collection.slug, items[name].item_object_id, position=position)
        return f"{self.api.endpoint}/collections/{collection.slug}"

    def _contents(self, folder: Path) -> dict[str, Path | bytes]:
        """The contents of the repository by path. A model's card names the model with its namespace."""
        contents: dict[str, Path | bytes] = {p.relative_to(folder).as_posix(): p for p in published_files(folder)}
        if self.repo["repo_type"] == "model" and CARD_FILE in contents:
            card = (folder / CARD_FILE).read_text(encoding="utf-8")
            contents[CARD_FILE] = published(card, f"{self.namespace}/{folder.name}").encode()
        return contents

    def _proposed(self, repo_id: str) -> str | None:
        """With ``create_pr``, the branch of this account's open pull request for a repository, if there is one."""
        if not (self.create_pr and self.api.repo_exists(repo_id, **self.repo)):
            return None
        proposed = self.api.get_repo_discussions(
            repo_id, author=self.account, discussion_type="pull_request", discussion_status="open", **self.repo
        )
        begin = f"{repo_id.split('/')[1]}: "  # like the commit messages of push()
        return next((request.git_reference for request in proposed if request.title.startswith(begin)), None)

    def _tagged(self, repo_id: str, tag: str) -> str | None:
        """The commit with a tag."""
        return {t.name: t.target_commit for t in self.api.list_repo_refs(repo_id, **self.repo).tags}.get(tag)

    def _commit(self, repo_id: str, revision: str | None) -> str | None:
        """The commit of a revision of a repository; that of ``main`` for a new branch, None without a repository."""
        if not self.api.repo_exists(repo_id, **self.repo):
            return None
        try:
            return self.api.repo_info(repo_id, revision=revision, **self.repo).sha
        except RevisionNotFoundError:
            return self.api.repo_info(repo_id, **self.repo).sha

    def _there(self, repo_id: str, commit: str) -> dict[str, RepoFile]:
        """The files of a repository by path."""
        listed = self.api.list_repo_tree(repo_id, recursive=True, revision=commit, **self.repo)
        files, kind = {file.path: file for file in listed if isinstance(file, RepoFile)}, self.repo["repo_type"]
        if files.keys() - set(_KEPT) and not _MARKS[kind] <= files.keys():
            raise PublishError(f"{repo_id} exists and is not a {kind} of {LIBRARY}; rename it, or publish elsewhere")
        return files


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn errors of the Hub's client into a PublishError of one sentence, which begins with ``what``."""
    try:
        with bounded_waits():
            yield
    except PublishError:
        raise
    except LoadError as error:  # of bounded_waits
        raise PublishError(f"{what}: {error}") from error
    except LocalTokenNotFoundError as error:
        raise PublishError("there is no token; log in with `hf auth login`, or set HF_TOKEN") from error
    except OfflineModeIsEnabled as error:
        raise PublishError(f"{what}: HF_HUB_OFFLINE is set; unset it to publish") from error
    except HFValidationError as error:
        raise PublishError(f"{what}: {error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        reasons = {
            401: "the Hub does not know the token; log in with `hf auth login`",
            403: "the token may not do this; create one that may write there and give it to `hf auth login`",
            412: _CHANGED,
        }
        said = (error.server_message or short(error)).splitlines()[0]
        raise PublishError(f"{what}: {reasons.get(status, f'the Hub answered {status}')} ({said})") from error
    except (HTTPError, OSError, RuntimeError) as error:  # of the client or of what it uploads with
        if getattr(error, "filename", None):  # a local file
            raise PublishError(f"{what}: {short(error)}") from error
        said = short(error.__cause__ or error)
        raise PublishError(f"{what}: the Hub was not reached ({said}); run the command again to continue") from error
