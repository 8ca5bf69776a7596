"""The endpoints as tools of language models (MCP)."""

import json
from importlib.util import find_spec
from typing import Any

from gradio_client.utils import is_file_obj_with_meta

from .paths import own_path

OFFERED = find_spec("mcp") is not None  # gradio[mcp] installs it


def answer_in_json() -> None:
    """Let tools answer lists and dictionaries as JSON, which Gradio writes as Python does, and find their pictures."""
    from gradio.mcp import GradioMCPServer  # needs what gradio[mcp] installs

    written = GradioMCPServer.postprocess_output_data

    def as_json(value: Any) -> Any:
        if is_file_obj_with_meta(value):  # Gradio answers its tools as it does other clients, and then opens the file
            return {**value, "path": own_path(value["path"])}
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def in_json(self, data: Any, root_url: str):
        return written(self, [as_json(value) for value in data], root_url)

    GradioMCPServer.postprocess_output_data = in_json
