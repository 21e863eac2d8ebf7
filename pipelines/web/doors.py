"""What of Dagster's web application changes something, and how it may be asked to.

Its GraphQL takes a mutation by GET, from a form, and as text; each is something that a browser sends for any page without asking
first. Here, changes come by POST as JSON, which a page of another server cannot send.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.web.guard import Refusal, header_value, replay

_GRAPHQL: Final = "/graphql"
_REPORTS: Final = ("/report_asset_materialization/", "/report_asset_check/", "/report_asset_observation/")
_MOST_TOKENS: Final = 20_000
"""In a query; the longest of Dagster's own pages' have a quarter of it."""


@dataclass(frozen=True)
class Doors:
    """ASGI middleware in front of Dagster's application; `Guard` stands before it, and has read the body."""

    app: ASGIApp
    is_read_only: bool = False
    """Nothing is taken that changes anything, whoever asks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        try:
            if scope["type"] == "http" and scope["method"] == "POST":
                receive = await self._take(scope, receive)
            else:
                _check_read(scope)
        except Refusal as refusal:
            await refusal.answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive) -> Receive:
        """What Dagster is given to read."""
        is_report = scope["path"].startswith(_REPORTS)
        if not is_report and scope["path"] != _GRAPHQL:
            raise Refusal(405, "Nothing is taken in here.")
        kind = (header_value(scope, "content-type") or "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(415, "Changes are asked for as JSON: Content-Type: application/json.")
        asked = _parsed((await receive()).get("body") or b"{}")
        if is_report and self.is_read_only:
            raise _read_only()
        if not is_report:
            self._judge(asked.get("query"))
        # Dagster is given what was looked at here, not what it might read out of the same bytes.
        return replay(json.dumps(asked).encode(), receive)

    def _judge(self, query: object) -> None:
        """Whether a query is right where nothing may be changed."""
        if not isinstance(query, str):
            raise Refusal(400, 'The request has no GraphQL in it: {"query": "..."}.')
        if not self.is_read_only:
            return
        try:
            document = parse(query, no_location=True, max_tokens=_MOST_TOKENS)
        except (GraphQLError, RecursionError) as err:
            raise Refusal(400, f"The query is no GraphQL, or too long: {str(err)[:200]}") from err
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if any(node.operation is not OperationType.QUERY for node in operations):
            raise _read_only()


def _check_read(scope: Scope) -> None:
    """Of what sends nothing: GraphQL, which would change things by it all the same, is not asked this way."""
    if scope["type"] == "websocket" and scope["path"] != _GRAPHQL:
        raise Refusal(404, "There is no WebSocket here.")
    if scope["type"] == "http" and scope["path"] == _GRAPHQL and scope["query_string"]:
        raise Refusal(405, "GraphQL is asked by POST, with the query as JSON.")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request is no JSON.") from None
    if not isinstance(asked, dict):
        raise Refusal(400, "The request has to be one JSON object; several at once are not taken.")
    return asked


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")  # though Python would take it


def _read_only() -> Refusal:
    return Refusal(403, "This server only shows: it was started with --read-only.")
