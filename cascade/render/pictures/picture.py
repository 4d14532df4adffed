"""A picture that needs no program to be drawn, as a part of a page and as a file."""

from dataclasses import dataclass

from cascade.render.looks import DARK_STYLE, FONT, TEXT_SIZE, Paint
from cascade.render.pictures.shapes import Shape, at
from cascade.render.wording import xml_text

PAD = 18
"""In points, around everything, as Graphviz leaves it."""

STYLE = DARK_STYLE
"""What a page needs so that its pictures follow the reader into the dark: they name their colours themselves."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and what it shows in words for those who do not see it."""

    name: str
    title: str
    description: str
    drawn: Shape

    @property
    def width(self) -> float:
        """In points, with the margin."""
        return self.drawn.width + 2 * PAD

    @property
    def height(self) -> float:
        """In points, with the margin."""
        return self.drawn.height + 2 * PAD

    @property
    def inline(self) -> str:
        """For a page that has ``STYLE`` among its own: no style stands in it, which a policy might forbid."""
        return self._svg("", "")

    @property
    def alone(self) -> str:
        """As a file of its own."""
        return self._svg(' xmlns="http://www.w3.org/2000/svg"', f"<style>\n{STYLE}\n</style>\n") + "\n"

    def _svg(self, attributes: str, style: str) -> str:
        width, height = f"{self.width:g}", f"{self.height:g}"
        return (
            f'<svg{attributes} class="picture" role="img" viewBox="0 0 {width} {height}" '
            f'width="{width}pt" height="{height}pt" font-family="{FONT},monospace" font-size="{TEXT_SIZE}">\n'
            f"<title>{xml_text(self.title)}</title>\n<desc>{xml_text(self.description)}</desc>\n{style}"
            f'<rect fill="{Paint.PAPER.light}" width="{width}" height="{height}"/>\n'
            f"{at(PAD, PAD, self.drawn)}</svg>"
        )
