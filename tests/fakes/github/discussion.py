"""Issues, pull requests, their comments and labels."""

from __future__ import annotations

from typing import Any

from fakes.github import shapes
from fakes.github.calls import Answer, Call, Refusal, handles
from fakes.github.state import Stored, add_comment

MAX_BODY, MAX_TITLE = 65_536, 256


@handles("GET /user")
def whoami(call: Call) -> Answer:
    """A job's token is nobody's: GitHub does not let it ask."""
    if call.user.type == "Bot":
        raise Refusal(403, "Resource not accessible by integration")
    return Answer(200, shapes.user(call, call.user.login, "private-user"))


@handles("GET /users/{username}")
def somebody(call: Call) -> Answer:
    """Return a user; ``ghost-…`` is nobody's name."""
    if call.values["username"].startswith("ghost-"):
        raise Refusal(404, "Not Found")
    return Answer(200, shapes.user(call, call.values["username"], "public-user"))


@handles("GET R")
def repository(call: Call) -> Answer:
    """Return a repository."""
    return Answer(200, shapes.repository(call, call.repository, "full-repository"))


@handles("GET R/issues/{issue_number}/comments")
def list_comments(call: Call) -> Answer:
    """Return a page of comments, oldest first."""
    number = _issue(call)["number"]
    found = [comment for comment in call.repository.comments.values() if comment["issue"] == number]
    return call.paged([shapes.comment(call, comment) for comment in sorted(found, key=lambda one: one["id"])])


@handles("POST R/issues/{issue_number}/comments")
def create_comment(call: Call) -> Answer:
    """Write a comment."""
    number = _issue(call)["number"]
    body = _checked(call.body["body"])
    return Answer(201, shapes.comment(call, add_comment(call.world, call.repository, number, body, call.user.login)))


@handles("GET R/issues/comments/{comment_id}")
def get_comment(call: Call) -> Answer:
    """Return a comment."""
    return Answer(200, shapes.comment(call, call.found(call.repository.comments, "comment_id")))


@handles("PATCH R/issues/comments/{comment_id}")
def update_comment(call: Call) -> Answer:
    """Replace a comment's text."""
    comment = call.found(call.repository.comments, "comment_id")
    body = _checked(call.body["body"])
    call.world.next_id()
    comment.update(body=body, updated=call.world.now())
    return Answer(200, shapes.comment(call, comment))


@handles("DELETE R/issues/comments/{comment_id}")
def delete_comment(call: Call) -> Answer:
    """Remove a comment."""
    comment = call.found(call.repository.comments, "comment_id")
    del call.repository.comments[str(comment["id"])]
    return Answer(204)


def _checked(body: str) -> str:
    if not body.strip():
        raise Refusal(
            422, "Validation Failed", [{"resource": "IssueComment", "code": "missing_field", "field": "body"}]
        )
    return _short(body, "body", MAX_BODY, "IssueComment")


def _short(text: str, field: str, limit: int, resource: str = "Issue") -> str:
    if len(text) > limit:
        message = f"{field} is too long (maximum is {limit} characters)"
        raise Refusal(422, "Validation Failed", [{"resource": resource, "code": "custom", "message": message}])
    return text


def _issue(call: Call) -> Stored:
    found: Stored = call.found(call.repository.issues, "issue_number")
    return found


def _has_issues(call: Call) -> None:
    # Its pull requests' comments are there all the same.
    if not call.repository.has_issues:
        raise Refusal(410, "Issues has been disabled in this repository.")


@handles("GET R/issues")
def list_issues(call: Call) -> Answer:
    """Return issues, newest first, by state, labels and author."""
    _has_issues(call)
    query, wanted = call.query, set(filter(None, call.query.get("labels", "").split(",")))
    found = [
        shapes.issue(call, issue)
        for issue in sorted(call.repository.issues.values(), key=lambda one: -one["number"])
        if query.get("state", "open") in {issue["state"], "all"}
        and wanted <= set(issue["labels"])
        and query.get("creator", issue["author"]) == issue["author"]
    ]
    return call.paged(found)


@handles("POST R/issues")
def create_issue(call: Call) -> Answer:
    """Open an issue; issues and pull requests are counted together."""
    _has_issues(call)
    repository = call.repository
    if not str(call.body["title"]).strip():
        raise Refusal(422, "Validation Failed", [{"resource": "Issue", "code": "missing_field", "field": "title"}])
    _short(str(call.body["title"]), "title", MAX_TITLE)
    _short(call.body.get("body") or "", "body", MAX_BODY)
    number = 1 + max(map(int, repository.issues), default=0)
    labels = [_label_name(label) for label in call.body.get("labels", [])]
    issue = {"number": number, "title": str(call.body["title"]), "author": call.user.login, "state": "open"}
    repository.issues[str(number)] = {**issue, "body": call.body.get("body") or "", "labels": labels}
    return Answer(201, shapes.issue(call, repository.issues[str(number)]))


@handles("GET R/issues/{issue_number}", "PATCH R/issues/{issue_number}")
def issue(call: Call) -> Answer:
    """Return an issue, after it was changed where something is given."""
    found, changes = _issue(call), dict(call.body or {})
    _short(changes.get("body") or "", "body", MAX_BODY)
    # "Ignored unless state is changed", as its description says.
    reason = changes.pop("state_reason", None)
    if changes.get("state", found["state"]) != found["state"]:
        found["state_reason"] = reason or ("completed" if changes["state"] == "closed" else "reopened")
    for key, value in changes.items():
        found[key] = [_label_name(label) for label in value] if key == "labels" else value
    return Answer(200, shapes.issue(call, found))


@handles(*(f"{method} R/issues/{{issue_number}}/labels" for method in ("GET", "POST", "PUT", "DELETE")))
def labels(call: Call) -> Answer:
    """Return the labels of an issue, or add, replace or remove them."""
    found = _issue(call)
    names = [_label_name(label) for label in (call.body or {}).get("labels", [])]
    if call.method == "DELETE":
        found["labels"] = []
        return Answer(204)
    if call.method in {"POST", "PUT"}:
        before = found["labels"] if call.method == "POST" else []
        found["labels"] = list(dict.fromkeys([*before, *names]))
        return Answer(200, [shapes.label(call, name) for name in found["labels"]])
    return call.paged([shapes.label(call, name) for name in found["labels"]])


def _label_name(label: Any) -> str:
    return str(label["name"] if isinstance(label, dict) else label)


@handles("GET R/pulls")
def list_pulls(call: Call) -> Answer:
    """Return pull requests, newest first, by state, base branch and ``owner:branch`` of the head."""
    query, found = call.query, []
    for number, stored in sorted(call.repository.pulls.items(), key=lambda item: -int(item[0])):
        owner = (stored["head_repository"] or "ghost/gone").partition("/")[0]
        head = f"{owner}:{stored['head_ref']}"
        state = call.repository.issues[number]["state"]
        same_base = query.get("base", stored["base_ref"]) == stored["base_ref"]
        if query.get("state", "open") in {state, "all"} and query.get("head", head) == head and same_base:
            found.append(shapes.pull(call, number, "pull-request-simple"))
    return call.paged(found)


@handles("GET R/pulls/{pull_number}", "PATCH R/pulls/{pull_number}")
def pull(call: Call) -> Answer:
    """Return a pull request, after it was changed where something is given."""
    call.found(call.repository.pulls, "pull_number")
    number = call.values["pull_number"]
    call.repository.issues[number].update({key: value for key, value in (call.body or {}).items() if key != "base"})
    return Answer(200, shapes.pull(call, number, "pull-request"))


@handles("GET R/pulls/{pull_number}/files")
def files(call: Call) -> Answer:
    """Return a page of changed files."""
    return call.paged([shapes.file(call, one) for one in call.found(call.repository.pulls, "pull_number")["files"]])
