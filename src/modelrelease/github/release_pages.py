"""A repository's releases and their files, as GitHub's API has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter

from modelrelease.github.announcing import Release, Stored
from modelrelease.github.client import Api, NotFound
from modelrelease.github.transfer import Upload
from modelrelease.github.writing import User

NEEDS = "contents: write"


class _Asset(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int
    name: str
    size: int
    state: str
    digest: str | None = None


class _Release(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int
    tag_name: str
    author: User | None = None
    draft: bool
    body: str | None = None
    html_url: str = ""
    upload_url: str = ""


_RELEASES = TypeAdapter(list[_Release])
_ASSETS = TypeAdapter(list[_Asset])


def _made(found: _Release) -> Release:
    author = found.author.id if found.author else None
    # Its end is a template for the query (RFC 6570).
    upload = found.upload_url.partition("{")[0]
    return Release(found.id, found.tag_name, author, found.draft, found.body or "", found.html_url, upload)


def _release(data: Any) -> Release:
    return _made(_Release.model_validate(data))


def _releases(data: Any) -> list[Release]:
    return [_made(one) for one in _RELEASES.validate_python(data)]


def _stored(found: _Asset) -> Stored:
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", found.digest or "")
    return Stored(found.id, found.name, found.size, match[1] if match else None, found.state == "uploaded")


def _asset(data: Any) -> Stored:
    return _stored(_Asset.model_validate(data))


def _assets(data: Any) -> list[Stored]:
    return [_stored(one) for one in _ASSETS.validate_python(data)]


def _nothing(_: Any) -> None:
    return None


@dataclass
class Pages:
    """The releases of ``repository``, which is ``owner/name``."""

    api: Api
    repository: str

    def all(self) -> Iterator[Release]:
        """Yield every release from all pages, newest first, without files; drafts where the token may see them."""
        yield from self.api.pages(self._path(), _releases, needs=NEEDS)

    def of_tag(self, tag: str) -> Release | None:
        """Return the published release of a tag, None where there is none; drafts are not found this way."""
        try:
            return self.api.get(self._path(f"/tags/{quote(tag, safe='/')}"), _release, needs=NEEDS)
        except NotFound:
            return None

    def one(self, release: int) -> Release:
        """Return a release as it is now, without files."""
        return self.api.get(self._path(f"/{release}"), _release, needs=NEEDS)

    def with_files(self, release: Release) -> Release:
        """Return a release with its files, each with a digest: where GitHub keeps none it is read back."""
        files = self.api.pages(self._path(f"/{release.id}/assets"), _assets, needs=NEEDS)
        return replace(release, assets=tuple(self._with_digest(file) for file in files))

    def _with_digest(self, file: Stored) -> Stored:
        if file.sha256 is not None or not file.whole:
            return file
        return replace(file, sha256=self.api.sha256(self._path(f"/assets/{file.id}"), file.size, needs=NEEDS))

    def create_draft(self, tag: str, title: str, body: str) -> Release:
        """Make a release that nobody but writers of the repository sees."""
        # Without `target_commitish`: with a commit whose workflows are not the default branch's, GitHub would ask for
        # a permission that no job's token can have. It is unused where the tag is there, which is seen to.
        content = {"tag_name": tag, "name": title, "body": body, "draft": True}
        return self.api.write("POST", self._path(), content, _release, needs=NEEDS)

    def publish(self, release: int, tag: str, title: str, body: str) -> Release:
        """Let everybody see a draft. Which release is called the latest goes by date, not by who came last."""
        content = {"tag_name": tag, "name": title, "body": body, "draft": False, "make_latest": "legacy"}
        return self.api.write("PATCH", self._path(f"/{release}"), content, _release, needs=NEEDS)

    def discard(self, release: int) -> None:
        """Remove a release; its tag stays."""
        self.api.write("DELETE", self._path(f"/{release}"), None, _nothing, needs=NEEDS)

    def remove(self, asset: int) -> None:
        """Remove a file of a release."""
        self.api.write("DELETE", self._path(f"/assets/{asset}"), None, _nothing, needs=NEEDS)

    def send(self, release: Release, upload: Upload) -> Stored:
        """Send a release one of its files."""
        return self.api.upload(release.upload_url, upload, _asset, needs=NEEDS)

    def _path(self, rest: str = "") -> str:
        return f"/repos/{self.repository}/releases{rest}"
