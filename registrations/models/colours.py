"""Contrast of two colours (WCAG 2.2, 1.4.3), and the shades that a page derives from the organisation's colour."""

from typing import NamedTuple

CONTRAST_MIN = 4.5
WHITE, INK = "#ffffff", "#211c17"
PAPER, DARK_PAPER = "#fbf7f0", "#16130f"  # of static/css: what the accent stands on
BRICK, LIGHT_BRICK = "#9c3a1b", "#f0a07e"  # of static/css: the site's own accent
HOVER = 0.22  # how far a button goes towards black or white under the pointer


class Accent(NamedTuple):
    accent: str
    on_accent: str
    hover: str

    def failures(self, paper: str) -> list[float]:
        """Contrasts below the least allowed: on paper, of the words on a button, of the words under the pointer."""
        pairs = [(self.accent, paper), (self.on_accent, self.accent), (self.on_accent, self.hover)]
        return [found for one, other in pairs if (found := contrast(one, other)) < CONTRAST_MIN]


class Accents(NamedTuple):
    light: Accent
    dark: Accent


def for_light(colour: str) -> Accent:
    return Accent(colour, better_ink(colour), mixed(colour, "#000000", HOVER))


def for_dark(colour: str) -> Accent:
    return Accent(colour, better_ink(colour), mixed(colour, WHITE, HOVER))


def accents(light: str = "", dark: str = "") -> Accents:
    """Of an organisation that has chosen `light`, and perhaps `dark`; else the site's own."""
    if not light:
        return Accents(for_light(BRICK), for_dark(LIGHT_BRICK))
    return Accents(for_light(light), for_dark(dark or lightened(light)))


def lightened(colour: str) -> str:
    """The nearest lighter shade that passes on dark paper."""
    steps = (mixed(colour, WHITE, step / 20) for step in range(21))
    return next(shade for shade in steps if not for_dark(shade).failures(DARK_PAPER))


def better_ink(ground: str) -> str:
    return max(WHITE, INK, key=lambda ink: contrast(ink, ground))


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
