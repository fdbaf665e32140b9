#!/usr/bin/env python3
"""Checks rendered contexts against the providers' own types; needs `pip install anthropic openai pydantic`.

usage: check_types.py FORMAT:FILE ...     FORMAT is anthropic, openai-chat or openai-responses
"""

import json
import sys
from collections.abc import Iterable
from typing import Union

from anthropic.types import MessageParam, TextBlockParam
from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses import ResponseInputItemParam
from pydantic import TypeAdapter, ValidationError

# Which types the members of a document have; no other member may be there.
MEMBERS = {
    "anthropic": {"system": Union[str, list[TextBlockParam]], "messages": list[MessageParam]},
    "openai-chat": {"messages": list[ChatCompletionMessageParam]},
    "openai-responses": {"instructions": str, "input": list[ResponseInputItemParam]},
}
REQUIRED = {"anthropic": "messages", "openai-chat": "messages", "openai-responses": "input"}


def spent(value):
    """Reads a validated value to its end: pydantic checks the elements of an `Iterable` only when they are taken."""
    if isinstance(value, dict):
        return {name: spent(member) for name, member in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [spent(element) for element in value]
    return value


def completed(element):
    """Adds what the types require of the model's own items but the API does not: Codex sends and records them without."""
    if element.get("type") == "reasoning":
        return {"id": "rs_0", **{name: value for name, value in element.items() if value is not None}}
    if element.get("type") == "message" and element.get("role") == "assistant" and isinstance(element["content"], list):
        content = [{"annotations": [], **part} for part in element["content"]]
        return {"id": "msg_0", "status": "completed", **element, "content": content}
    return element


def faults(form, path, adapters):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if not isinstance(document, dict) or REQUIRED[form] not in document:
        yield f"no '{REQUIRED[form]}'"
        return
    for name, value in document.items():
        if name not in adapters[form]:
            yield f"unknown member '{name}'"
            continue
        elements = value if isinstance(value, list) else [value]
        adapter = adapters[form][name]
        for place, element in enumerate(elements):
            if name == "input":
                element = completed(element)
            try:
                spent(adapter.validate_python([element] if isinstance(value, list) else element))
            except ValidationError as error:
                yield f"{name}[{place}]: {str(error).splitlines()[0]}: {json.dumps(element)[:300]}"


def main(arguments):
    adapters = {form: {name: TypeAdapter(kind) for name, kind in members.items()} for form, members in MEMBERS.items()}
    bad = 0
    for argument in arguments:
        form, _, path = argument.partition(":")
        if form not in MEMBERS or not path:
            print(__doc__, file=sys.stderr)
            return 2
        for fault in faults(form, path, adapters):
            print(f"{path}: {fault}")
            bad += 1
    print(f"{len(arguments)} documents, {bad} faults", file=sys.stderr)
    return 1 if bad or not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
