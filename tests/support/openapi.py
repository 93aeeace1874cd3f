"""TikTok's own OpenAPI files, against which we check what we send and what the fake answers.

They come from the npm package that TikTok publishes for its command line (MIT). It is fetched with
`npm pack`, pinned by version and digest, and kept in `.cache/` at the project's root.
"""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

PACKAGE = "@tts-open-toolkit/cli@0.1.7"
ARCHIVE = "tts-open-toolkit-cli-0.1.7.tgz"
SHA256 = "621d22fd20071f90ce651a1197e30c1de4f1f64f91be424040f7b786b15e7aaf"
FOLDER = "package/skills/tts-openapi-guide/references/oas/paths/"
CACHE = Path(__file__).resolve().parents[2] / ".cache"
FETCH_S = 50
SIGNING = ("app_key", "sign", "timestamp")  # of every signed request; the files leave them out

Schema = dict[str, Any]


def request_problems(method: str, path: str, body: object) -> list[str]:
    """Say what TikTok's files hold against a request body; `path` is the template."""
    return _problems(_validator(method, path, "request"), body)


def query_problems(method: str, path: str, query: Mapping[str, str]) -> list[str]:
    """Say what TikTok's files hold against a query; the signing parameters are always allowed."""
    declared = {
        parameter["name"]: parameter
        for parameter in _operation(method, path).get("parameters", [])
        if parameter["in"] == "query"
    }
    problems = [f"{name}: unknown" for name in query if name not in {*declared, *SIGNING}]
    problems += [f"{name}: missing" for name in SIGNING if name not in query]
    for name, parameter in declared.items():
        if name not in query:
            problems += [f"{name}: missing"] if parameter.get("required") else []
        elif parameter["schema"].get("type") == "integer" and not query[name].isdecimal():
            problems.append(f"{name}: {query[name]!r} is no integer")
    return sorted(problems)


def header_problems(method: str, path: str, headers: Mapping[str, str]) -> list[str]:
    """Say which headers are missing that TikTok's files require; `headers` ignores case."""
    return sorted(
        f"{parameter['name']}: missing"
        for parameter in _operation(method, path).get("parameters", [])
        if parameter["in"] == "header" and parameter.get("required")
        if parameter["name"] not in headers
    )


def takes_a_body(method: str, path: str) -> bool:
    """Whether TikTok's files know a request body for this endpoint."""
    return "requestBody" in _operation(method, path)


def response_problems(method: str, path: str, body: object) -> list[str]:
    """Say what TikTok's files hold against the body of a successful answer."""
    return _problems(_validator(method, path, "response"), body)


@functools.cache
def _validator(method: str, path: str, which: str) -> Any:
    operation = _operation(method, path)
    part = operation["requestBody"] if which == "request" else operation["responses"]["200"]
    schema = part["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator(_strict(schema))


def _problems(validator: Any, body: object) -> list[str]:
    return sorted(f"{error.json_path}: {error.message}" for error in validator.iter_errors(body))


def _strict(schema: Any, root: Schema | None = None) -> Any:
    """Forbid what the files do not name, resolve `$ref`, and give int32 and int64 their ranges."""
    root = root if root is not None else schema
    if isinstance(schema, list):
        return [_strict(part, root) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _strict(_follow(schema["$ref"], _files()), root)
    strict = {key: _strict(part, root) for key, part in schema.items()}
    # "properties" as the name of a property would be a mapping without a "type".
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        strict["additionalProperties"] = False
    if schema.get("format") in ("int32", "int64"):
        bits = int(schema["format"].removeprefix("int")) - 1
        strict |= {"minimum": -(2**bits), "maximum": 2**bits - 1}
    return strict


def _follow(pointer: str, files: Mapping[str, Schema]) -> Schema:
    """Find `#/components/...` in whichever of the files has it."""
    steps = pointer.removeprefix("#/").split("/")
    for document in files.values():
        found: Any = document
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    raise KeyError(pointer)


def _operation(method: str, path: str) -> Schema:
    for document in _files().values():
        operations = document["paths"].get(path, {})
        if method.lower() in operations:
            operation: Schema = operations[method.lower()]
            return operation
    raise KeyError(f"{method} {path}")


@functools.cache
def _files() -> Mapping[str, Schema]:
    archive = CACHE / ARCHIVE
    if not archive.exists():
        fetch(archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        pytest.fail(f"{archive} is not the archive that we know; delete it and try again.")
    return dict(_read(archive))


def _read(archive: Path) -> Iterator[tuple[str, Schema]]:
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if member.name.startswith(FOLDER) and (file := tar.extractfile(member)):
                yield member.name.removeprefix(FOLDER), json.load(file)


def fetch(archive: Path) -> None:
    """Fetch the package into the cache; two test runs at once do not disturb each other."""
    npm = shutil.which("npm")
    if npm is None:
        _give_up("npm is not installed")
        return
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [npm, "pack", PACKAGE, "--ignore-scripts", "--pack-destination", folder]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH_S)
            (Path(folder) / ARCHIVE).replace(archive)
        except (subprocess.SubprocessError, OSError) as error:
            _give_up(f"npm pack failed ({type(error).__name__})")


def _give_up(reason: str) -> None:
    sentence = f"TikTok's OpenAPI files ({PACKAGE}) cannot be fetched: {reason}."
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
