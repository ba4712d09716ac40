"""What may be an address of weights, and what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelrelease.records.addresses import is_plain_path, parse_hub, parse_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_an_address_says_where_weights_lie() -> None:
    hub = parse_source(f"hf://acme/support-7b@{COMMIT}")
    assert (hub.kind, hub.repository, hub.revision, hub.is_pinned) == ("hub", "acme/support-7b", COMMIT, True)
    assert parse_source("file:///srv/my%20models/x").path == Path("/srv/my models/x")
    other = parse_source("s3://bucket/models/x/")
    assert (other.kind, other.text, other.is_pinned) == ("fsspec", "s3://bucket/models/x", True)


@pytest.mark.parametrize(
    ("text", "revision"), [("hf://acme/bot", "main"), ("hf://acme/bot@v1", "v1"), ("hf://a/b@refs/pr/3", "refs/pr/3")]
)
def test_a_model_may_be_named_by_a_branch(text: str, revision: str) -> None:
    assert parse_hub(text).revision == revision
    assert not parse_hub(text).is_pinned
    with pytest.raises(ValueError, match="which can move; write the commit"):
        parse_source(text)


REFUSED = {
    "hf://acme": "is no model on the Hub",
    "hf://datasets/acme/x@main": "is no model on the Hub",
    "hf://datasets/x@main": "is no model on the Hub",
    "hf://spaces/x@main": "is no model on the Hub",
    "hf://acme/../x@main": "is no model on the Hub",
    f"hf://acme/bot/folder@{COMMIT}": "is no model on the Hub",
    "hf://acme/bot@../x": "names no revision",
    "hf://acme/bot@a b": "names no revision",
    f"hf://acme/bot@{COMMIT}/folder": "which can move",
    f"hf://acme/bot@{COMMIT.upper()}": "which can move",
    f"hf://acme/bot@{COMMIT[:10]}": "which can move",
    "": "is no address",
    "models/x": "is no address",
    "/srv/models": "is no address",
    "s3:/x": "is no address",
    "https://a/\nb": "is no address",
    "https://" + "a" * 3000: "is no address",
    "file://host/x": "is not the address of a folder",
    "file://models": "is not the address of a folder",
    "file:///a%00b": "is not the address of a folder",
    "simplecache::s3://a/b": "wraps another address",
    "s3://a/b::memory://x": "wraps another address",
    "reference://x": "wraps another address",
    "zip://x": "wraps another address",
    "local:///etc": "wraps another address",
    "git://x": "wraps another address",
    "https://me:secret@host/x": "holds a password",
    "https://[x/y": "is no address",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_safe_address_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[text]) as caught:
        parse_source(text)
    assert "; " in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["model.safetensors", "a/b.json", "x y.txt", "ä", "..a", ".hidden"])
def test_a_file_below_a_checkpoint(path: str) -> None:
    assert is_plain_path(path)


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a\\b", "C:a", "a\0b", "a\nb", "a/./b"]
)
def test_a_place_that_is_not_below_a_checkpoint(path: str) -> None:
    assert not is_plain_path(path)
