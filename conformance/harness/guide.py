"""The snippets of the guide, which tests run as they stand."""

import re

from .server import ROOT


def blocks(page):
    """The kind, name and text of each block of a page: ("python", "hello.py", "import modal…")."""
    text = (ROOT / "docs/guide" / page).read_text()
    return re.findall(r"^```(python|console) ?(\S*)\n(.*?)^```", text, re.M | re.S)
