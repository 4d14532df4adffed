"""JSON as every command prints and writes it."""

import json
from collections.abc import Mapping
from typing import Any


def json_text(document: Mapping[str, Any]) -> str:
    """The document with its keys in their order, indented by 2, letters unescaped, one final newline.

    >>> print(json_text({"b": "ü", "a": []}), end="|")
    {
      "b": "ü",
      "a": []
    }
    |
    """
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
