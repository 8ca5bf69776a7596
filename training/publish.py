"""Folders, of models or of the demo, ─► repositories of the Hub."""

import hashlib
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
from huggingface_hub.utils.sha import git_hash

from aevq_hub import AEVQ
from aevq_hub.folder import CARD_FILE, CHECKPOINT_FILE, CONFIG_FILE, HISTORY_FILE, PINS_FILE, WEIGHTS_FILE
from aevq_hub.hub import LIBRARY, reach_hub
from aevq_hub.registry import DATASETS, VARIANTS

from .card import published

COLLECTION = "AEVQ – from continuous to discrete"
_KEPT = (".gitattributes",)  # files of a repository that no folder has
_MARKS = {  # what a repository that is ours holds, by its type
    "model": {CONFIG_FILE, WEIGHTS_FILE, HISTORY_FILE},
    "space": {"app.py", f"model_cards/{PINS_FILE}"},
}


class PublishError(RuntimeError):
    """Nothing, or nothing more, was published. The message says why and what to do."""


@dataclass(frozen=True)
class Change:
    """What publishing does to one file of a repository: ``add``, ``update`` or ``delete``."""

    what: str
    path: str
    size: int  # bytes


def ladder(names: Iterable[str]) -> list[str]:
    """Names of models in the order of the ladder: data set by data set, from the continuous to the discrete."""
    order = [f"{variant}-{dataset}" for dataset in DATASETS for variant in VARIANTS]
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


class Publisher:
    """Publishes folders under one namespace.

    Args:
        namespace: an account or an organisation of the Hub.
        token: by default that of ``hf auth login`` or ``HF_TOKEN``.
        repo_type: of the repositories: ``model`` or ``space``.
        create_pr: open pull requests instead of changing the repositories, which may then be somebody else's; one that
            is still open is added to.

    Raises:
        PublishError: the Hub is not reached, there is no token, or it may not write there.
    """

    def __init__(self, namespace: str, token: str | None = None, *, repo_type: str = "model", create_pr: bool = False):
        self.namespace, self.create_pr, self.api = namespace, create_pr, HfApi(token=token)
        self.repo: dict[str, Any] = {"repo_type": repo_type}
        with explained(f"account {namespace}"):
            reach_hub()  # the client would wait for ever
            account = self.api.whoami()
        self.account = account["name"]
        may_read_only = [org["name"] for org in account.get("orgs", []) if org.get("roleInOrg") == "read"]
        allowed = [
            account["name"],
            *(org["name"] for org in account.get("orgs", []) if org["name"] not in may_read_only),
        ]
        if namespace not in allowed and not create_pr:
            raise PublishError(
                f"the token is that of {account['name']}, which may not publish under {namespace!r}; "
                f"choose from {', '.join(allowed)}, or open pull requests (--create-pr)"
            )
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise PublishError("the token may only read; make one that may write and give it to `hf auth login`")

    def changes(self, folder: Path, revision: str | None = None, tag: str | None = None) -> list[Change]:
        """What publishing a folder would change.

        Args:
            folder: whose files, with those of its folders, are to be the repository's; the repository has its name.
            revision: the branch to compare with; by default ``main``.
            tag: that the published state is to have.

        Raises:
            PublishError: the repository is there and holds something that is not ours, or the tag stands
                already for another state.
        """
        repo_id = f"{self.namespace}/{folder.name}"
        with explained(repo_id):
            revision = revision or self._proposed(repo_id)
            there = self._there(repo_id, revision)
            here = self._contents(folder)
            changed = [
                Change("update" if name in there else "add", name, _size(content))
                for name, content in here.items()
                if name not in there or not _equal(content, there[name])
            ]
            gone = [Change("delete", name, file.size) for name, file in there.items() if name not in (*here, *_KEPT)]
            changes = changed + gone
            tagged = self._tagged(repo_id, tag) if tag and there else None
            if tagged and (changes or tagged != self.api.repo_info(repo_id, revision=revision, **self.repo).sha):
                raise PublishError(f"{repo_id} has the tag {tag!r} for another state already; choose another")
        return changes

    def push(
        self,
        folder: Path,
        changes: Sequence[Change],
        *,
        private: bool = False,
        revision: str | None = None,
        tag: str | None = None,
    ) -> str:
        """Make a repository what a folder is, by one commit that leaves unchanged files alone.

        Args:
            folder: the repository has its name, and is made if missing.
            changes: what :meth:`changes` said of it.
            private: whether a new repository is.
            revision: a branch, made if missing; by default ``main``.
            tag: a name for the state that is published.

        Returns:
            The address of the commit, of the pull request or, where nothing changed, of the repository.

        Raises:
            PublishError: the Hub refused; the same call goes on where it stopped.
        """
        repo_id = f"{self.namespace}/{folder.name}"
        with explained(repo_id):
            if not self.api.repo_exists(repo_id, **self.repo):
                sdk = "gradio" if self.repo["repo_type"] == "space" else None
                self.api.create_repo(repo_id, private=private, exist_ok=True, space_sdk=sdk, **self.repo)
            if revision:
                self.api.create_branch(repo_id, branch=revision, exist_ok=True, **self.repo)
            proposed = self._proposed(repo_id)
            address, published = f"{self.api.endpoint}/{self._path(repo_id)}", revision
            if changes:
                contents = self._contents(folder)
                commit = self.api.create_commit(
                    repo_id,
                    [
                        CommitOperationDelete(change.path)
                        if change.what == "delete"
                        else CommitOperationAdd(change.path, contents[change.path])
                        for change in changes
                    ],
                    commit_message=f"{folder.name}: {len(changes)} files",
                    revision=revision or proposed,
                    create_pr=self.create_pr and not proposed,
                    **self.repo,
                )
                address, published = commit.pr_url or commit.commit_url, commit.oid
            if tag and not self._tagged(repo_id, tag):
                self.api.create_tag(repo_id, tag=tag, revision=published, **self.repo)
        return address

    def collect(self, names: Sequence[str], *, private: bool = False) -> str:
        """Gather published models in a collection, which is put in the order of the ladder.

        Returns:
            The collection's address.
        """
        with explained(f"the collection of {self.namespace}"):
            collection = self.api.create_collection(
                COLLECTION, namespace=self.namespace, private=private, exists_ok=True
            )
            for name in names:
                self.api.add_collection_item(collection.slug, f"{self.namespace}/{name}", "model", exists_ok=True)
            items = {item.item_id.split("/")[-1]: item for item in self.api.get_collection(collection.slug).items}
            if list(items) != ladder(items):
                for position, name in enumerate(ladder(items)):
                    self.api.update_collection_item(collection.slug, items[name].item_object_id, position=position)
        return f"{self.api.endpoint}/collections/{collection.slug}"

    def _contents(self, folder: Path) -> dict[str, Path | bytes]:
        """The files that a repository is to hold, by path. A model's card names the model with its namespace."""
        contents: dict[str, Path | bytes] = {p.relative_to(folder).as_posix(): p for p in published_files(folder)}
        if self.repo["repo_type"] == "model" and CARD_FILE in contents:
            card = (folder / CARD_FILE).read_text(encoding="utf-8")
            contents[CARD_FILE] = published(card, f"{self.namespace}/{folder.name}").encode()
        return contents

    def _path(self, repo_id: str) -> str:
        """Where a repository is below the Hub's address."""
        return repo_id if self.repo["repo_type"] == "model" else f"{self.repo['repo_type']}s/{repo_id}"

    def _proposed(self, repo_id: str) -> str | None:
        """The branch of the open pull request that this account made for a repository, where one is to be made."""
        if not (self.create_pr and self.api.repo_exists(repo_id, **self.repo)):
            return None
        proposed = self.api.get_repo_discussions(
            repo_id, author=self.account, discussion_type="pull_request", discussion_status="open", **self.repo
        )
        begin = f"{repo_id.split('/')[1]}: "  # as our commits' messages do
        return next((request.git_reference for request in proposed if request.title.startswith(begin)), None)

    def _tagged(self, repo_id: str, tag: str) -> str | None:
        """The commit that a tag stands for."""
        return {t.name: t.target_commit for t in self.api.list_repo_refs(repo_id, **self.repo).tags}.get(tag)

    def _there(self, repo_id: str, revision: str | None) -> dict[str, RepoFile]:
        """The files of a repository by path: empty if there is none yet."""
        if not self.api.repo_exists(repo_id, **self.repo):
            return {}
        try:
            listed = list(self.api.list_repo_tree(repo_id, recursive=True, revision=revision, **self.repo))
        except RevisionNotFoundError:  # a branch to be made, which begins as main
            listed = list(self.api.list_repo_tree(repo_id, recursive=True, **self.repo))
        files = {file.path: file for file in listed if isinstance(file, RepoFile)}
        kind = self.repo["repo_type"]
        if files.keys() - set(_KEPT) and not _MARKS[kind] <= files.keys():
            raise PublishError(f"{repo_id} exists and is no {kind} of {LIBRARY}; rename it there, or publish elsewhere")
        return files


def published_files(folder: Path) -> list[Path]:
    """The files of a folder, and of the folders in it, that its repository holds."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != CHECKPOINT_FILE
        and not any(p[0] == "." for p in path.relative_to(folder).parts)
    )


def checked_folders(names: Sequence[str], output: Path) -> list[Path]:
    """The folders of models, each loaded once to make sure that it is whole.

    Raises:
        PublishError: one has no card.
        LoadError: one is no whole model.
    """
    folders = [output / name for name in names]
    for folder in folders:
        AEVQ.from_pretrained(folder)
        for file in (CARD_FILE, HISTORY_FILE):
            if not (folder / file).is_file():
                raise PublishError(f"{folder} has no {file}; train the model with `aevq train`")
    return folders


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _equal(content: Path | bytes, file: RepoFile) -> bool:
    """Whether local content is that of a repository's file, by its SHA-256 or, of a small one, its git hash."""
    if file.size != _size(content):
        return False
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha256(data).hexdigest() == file.lfs.sha256 if file.lfs else git_hash(data) == file.blob_id


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one sentence.

    Args:
        what: what was being published, to begin the sentence with.
    """
    try:
        yield
    except PublishError:
        raise
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
            403: "the token may not do this; make one that may write there and give it to `hf auth login`",
        }
        said = (error.server_message or str(error)).splitlines()[0]
        raise PublishError(f"{what}: {reasons.get(status, f'the Hub answered {status}')} ({said})") from error
    except (HTTPError, OSError, RuntimeError) as error:  # of the client or of what it uploads with
        said = str(error.__cause__ or error).splitlines()[0]
        raise PublishError(f"{what}: the Hub was not reached ({said}); run the command again to go on") from error
