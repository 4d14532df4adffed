"""How a picture of a report is known again: a later report clears those of an earlier one away, and nothing else.

The mark names the file and the digest of what stands before it. A picture that was edited or renamed bears none: it
has become somebody's own.
"""

from hashlib import sha256


def marked(name: str, svg: str) -> str:
    """The picture as the file of that name, with its mark at the end."""
    return f"{svg}<!-- cascade report: {name} {sha256(svg.encode()).hexdigest()} -->\n"


def is_marked(name: str, text: str) -> bool:
    """Whether the file of that name is the picture of a report, as a report wrote it.

    >>> text = marked("steps.svg", "<svg/>")
    >>> is_marked("steps.svg", text), is_marked("mine.svg", text), is_marked("steps.svg", text.replace("/", " /"))
    (True, False, False)
    """
    svg, _, _ = text.rpartition("<!-- ")
    return text == marked(name, svg)
