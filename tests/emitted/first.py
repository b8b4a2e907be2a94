"""Prints the JSON Schema of the first revision (2024-11-05), made from the official types of its time."""

import json

import mcp.types as types
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

classes = [one for one in vars(types).values() if isinstance(one, type)]
models = [one for one in classes if issubclass(one, BaseModel) and one is not BaseModel]
concrete = [(one, "validation") for one in models if not getattr(one, "__parameters__", ())]
assert types.LATEST_PROTOCOL_VERSION == "2024-11-05"
_, schema = models_json_schema(concrete, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
print(json.dumps({"2024-11-05": {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}}))
