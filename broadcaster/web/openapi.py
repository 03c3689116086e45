"""The OpenAPI 3.1 document, read off the endpoint table and the types that its handlers use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from broadcaster.errors import ConflictError, DaohuError
from broadcaster.web.endpoint import JSON, Endpoint, Nothing, Table
from broadcaster.web.problems import MEDIA_TYPE, STATUS, Problem

_REF = "#/components/schemas/{name}"
_PLACE = re.compile(r"\{(\w+)\}")


def document(tables: Iterable[Table], public_url: str) -> dict[str, Any]:
    """The document for all `tables`, as JSON-ready values."""
    entries = [(table.tag, endpoint) for table in tables for endpoint in table]
    schemas, components = _schemas([endpoint for _, endpoint in entries])
    paths: dict[str, dict[str, Any]] = {}
    for tag, endpoint in entries:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(tag, endpoint, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "到户 Daohu",
            "version": version("daohu"),
            "description": "预警发布与到户核实。Author a warning once; every household is accounted for.",
        },
        "servers": [{"url": public_url}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "daohu_session"},
            },
        },
    }


def _schemas(endpoints: list[Endpoint]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    types = [Problem]
    for endpoint in endpoints:
        types += [kind for kind in (endpoint.form, endpoint.query, endpoint.answers) if kind not in (None, Nothing)]
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REF)
    return dict(zip(unique, schemas, strict=True)), dict(components)


def _operation(
    tag: str, endpoint: Endpoint, schemas: Mapping[Any, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [tag],
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, schemas, components)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.public:
        operation["security"] = []
    elif endpoint.method == "GET":
        operation["security"] = [{"bearer": []}, {"session": []}]
    if endpoint.action is not None:
        operation["x-required-action"] = endpoint.action.value
    if endpoint.method == "POST" and not endpoint.public:
        operation["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Repeating a request with the same key within 24 hours gives the first answer again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 128},
            }
        )
    if endpoint.body is not Nothing:
        content: dict[str, Any] = {JSON: {"schema": schemas[endpoint.form]}}
        content |= {media: {"schema": {"type": "string"}} for media in endpoint.reads if media != JSON}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = {"type": "integer", "minimum": 1}
    names = _PLACE.findall(endpoint.path)
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(
    endpoint: Endpoint, schemas: Mapping[Any, dict[str, Any]], components: dict[str, Any]
) -> list[dict[str, Any]]:
    if endpoint.query is Nothing:
        return []
    name = schemas[endpoint.query]["$ref"].rpartition("/")[2]
    schema = components[name]
    required = schema.get("required", [])
    return [
        {"name": field, "in": "query", "required": field in required, "schema": kind}
        for field, kind in schema["properties"].items()
    ]


def _responses(endpoint: Endpoint, schemas: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    schema = {"type": "string"} if endpoint.answers is None else schemas[endpoint.answers]
    responses: dict[str, Any] = {
        str(endpoint.status): {"description": endpoint.summary, "content": {endpoint.media: {"schema": schema}}}
    }
    for status, kinds in sorted(_by_status(endpoint).items()):
        responses[str(status)] = {
            "description": "; ".join(sorted(kind.code for kind in kinds)),
            "content": {MEDIA_TYPE: {"schema": schemas[Problem]}},
        }
    return responses


def _by_status(endpoint: Endpoint) -> dict[int, set[type[DaohuError]]]:
    kinds = {*endpoint.problems, *([ConflictError] if endpoint.method == "POST" and not endpoint.public else [])}
    grouped: dict[int, set[type[DaohuError]]] = {}
    for kind in kinds:
        grouped.setdefault(STATUS[kind], set()).add(kind)
    return grouped
