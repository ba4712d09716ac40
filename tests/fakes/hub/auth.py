"""Who may do what: access tokens, and the exchange of a job's identity for one (trusted publishing)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fakes.hub.calls import Answer, Call, Refusal, route

WRITE_TOKEN = "hf_write0123456789abcdefghijklmnopq"
READ_TOKEN = "hf_read0123456789abcdefghijklmnopqr"
EXPIRED_TOKEN = "hf_expired0123456789abcdefghijklmno"
JOB_IDENTITY = "identity-of-a-job"


@dataclass
class Token:
    """An access token. ``only`` is the one repository it is for; ``left`` counts requests until it expires."""

    name: str
    write: bool = True
    only: str | None = None
    left: int | None = None


def default_tokens() -> dict[str, Token]:
    """Return a token that may write, one that may only read, and one that has expired."""
    return {
        WRITE_TOKEN: Token("writer"),
        READ_TOKEN: Token("reader", write=False),
        EXPIRED_TOKEN: Token("expired", left=0),
    }


@dataclass
class Publishers:
    """The jobs that may publish without a token: the identity each shows, by the repository it may write."""

    identity: dict[str, str] = field(default_factory=dict)


def token_of(header: str | None, tokens: dict[str, Token]) -> Token | None:
    """Return whose token a request carries, None for nobody's; 401 for one that is not valid (any more)."""
    if not header:
        return None
    kind, _, text = header.partition(" ")
    found = tokens.get(text) if kind == "Bearer" else None
    if found is None:
        raise Refusal(401, "Invalid credentials in Authorization header")
    if found.left is not None:
        if found.left <= 0:
            raise Refusal(401, f'User Access Token "{found.name}" is expired')
        found.left -= 1
    return found


def must_write(token: Token | None, repository: str | None) -> None:
    """Refuse who may not write to ``repository``."""
    if token is None:
        raise Refusal(401, "Invalid username or password.")
    if not token.write or (token.only is not None and token.only != repository):
        raise Refusal(403, "Forbidden: you must use a write token to upload to a repository.")


@route("GET", r"/api/whoami-v2")
def whoami(call: Call) -> Answer:
    """Say whose token it is."""
    if call.token is None:
        raise Refusal(401, "Invalid username or password.")
    role = "write" if call.token.write else "read"
    auth = {"type": "access_token", "accessToken": {"displayName": call.token.name, "role": role}}
    return Answer({"type": "user", "id": "1", "name": "acme", "fullname": "Acme", "orgs": [], "auth": auth})


@route("GET", r"/_github/identity")
def identity(call: Call) -> Answer:
    """Stand in for GitHub: give a job its identity."""
    return Answer({"value": JOB_IDENTITY, "aud": call.query.get("audience", "")})


@route("POST", r"/oauth/token")
def exchange(call: Call) -> Answer:
    """Exchange a job's identity for a token of one repository. Source: RFC 8693."""
    asked = call.json()
    resource, shown = asked.get("resource"), asked.get("subject_token")
    if not isinstance(resource, str) or call.hub.publishers.identity.get(resource) != shown:
        return Answer({"error": "invalid_grant", "error_description": "No matching trusted publisher"}, 400)
    text = f"hf_jwt_{resource.replace('/', '_')}"
    call.hub.tokens.setdefault(text, Token("job", only=resource))
    return Answer({"access_token": text, "token_type": "bearer", "expires_in": 3600})
